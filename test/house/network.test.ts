// What comes from the network is read in one place, and what goes out to it goes through one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isForTests, read, sourceFiles } from './sources.ts'

const shipped = sourceFiles('src').filter((file) => !isForTests(file))

function filesWith(pattern: RegExp): string[] {
  return shipped.filter((file) => pattern.test(read(file)))
}

test('who asks is told by serve/forwarded.ts alone, which knows the proxies that are believed', () => {
  assert.ok(shipped.length > 50, `only ${shipped.length} files were seen`)
  const reading = filesWith(/\.remoteAddress\b|\brequest\.ips?\b|x-forwarded-/).filter((file) => !file.startsWith('src/kit/outgoing/'))
  assert.deepEqual(reading, ['src/serve/forwarded.ts'])
  assert.deepEqual(filesWith(/\brequest\.(?:hostname|host|protocol)\b|trustProxy: (?!false)/), [])
})

/** Files that open connections by themselves, and why that is right. */
const ownConnections: Record<string, string> = {
  'src/kit/outgoing/outgoing.ts': 'the one place',
  'src/flow/readiness.ts': 'asks the server of these settings on this machine, where no proxy has a say',
}
/** Drivers that dial by themselves. They heed `network.ca`, and HTTP proxies are not for them. */
const ownDrivers: Record<string, string> = {
  'src/store/records/postgres.ts': 'PostgreSQL',
  'src/store/records/look.ts': 'PostgreSQL',
}

test('every outgoing request goes through kit/outgoing, which knows proxies, authorities and where answers may lead', () => {
  const dials = /(?<![.\w])fetch\(|\bfetch\b\s*[,;)]|\bundici\b|\bWebSocket\b|\bEventSource\b/
  const modules = /from 'node:(?:http|https|http2|net|tls|dgram)'|import\('node:(?:http|https|http2|net|tls|dgram)'\)/
  const names =
    /import (?!type\b)[^\n]*\b(?:request|get|Agent|globalAgent|connect|createConnection|Socket)\b[^\n]*from 'node:(?:http|https|http2|net|tls|dgram)'/
  const whole = /import \*? ?(?:as )?\w+ from 'node:(?:http|https|http2|net|tls|dgram)'/
  const dialling = shipped.filter((file) => {
    const source = withoutComments(read(file))
    return dials.test(source) || (modules.test(source) && (names.test(source) || whole.test(source)))
  })
  assert.deepEqual(
    dialling.filter((file) => ownConnections[file] === undefined),
    [],
  )
  assert.ok(dialling.includes('src/kit/outgoing/outgoing.ts'), 'the look sees what it looks for')
  assert.deepEqual(filesWith(/from 'pg'|import\('pg'\)/), Object.keys(ownDrivers).toSorted())
})

test('a connection of one’s own is seen, and what only listens is not', () => {
  const looks = (source: string) => /(?<![.\w])fetch\(/.test(withoutComments(source))
  assert.ok(looks('await fetch(url)'))
  assert.ok(!looks('await outgoing.fetch(url)'))
  assert.ok(!looks('// fetch(url)\n/** fetch(fingerprint) */'))
})

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, '')
}
