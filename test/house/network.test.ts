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
  assert.deepEqual(filesWith(/\.remoteAddress\b|\brequest\.ips?\b|x-forwarded-/), ['src/serve/forwarded.ts'])
  assert.deepEqual(filesWith(/\brequest\.(?:hostname|host|protocol)\b|trustProxy: (?!false)/), [])
})
