import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../test-support.ts'
import { pauseAfter, retryAfterMs } from './back-off.ts'
import { download, type Wanted } from './download.ts'
import { type FakeSource, fakeSource, quickTools } from './source.testing.ts'
import type { FetchLimits } from './tools.ts'

const bytes = Buffer.from(`{"text":"${'x'.repeat(200_000)}"}`)

async function world(t: TestContext, limits: Partial<FetchLimits> = {}) {
  const source = await fakeSource(t)
  source.files.set('/data.json', { bytes })
  const path = join(temporaryFolder(t), 'data.json')
  const tools = quickTools(limits)
  const wanted = (more: Partial<Wanted> = {}): Wanted => ({
    url: new URL('/data.json', source.base),
    hosts: [],
    path,
    looks: 'json',
    mostBytes: 1_000_000,
    ...more,
  })
  return { source, path, tools, wanted }
}

/** Sends a part of the file under a length that is that of all of it, and breaks off once that part is on disk. */
function brokenOff(response: ServerResponse, path: string, size: number, headers: Record<string, string> = { etag: '"one"' }): void {
  response.writeHead(200, { ...headers, 'content-length': bytes.length })
  response.write(bytes.subarray(0, size))
  const timer = setInterval(() => {
    if (statSync(`${path}.part`, { throwIfNoEntry: false })?.size !== size) return
    clearInterval(timer)
    response.destroy()
  }, 5)
  response.on('close', () => clearInterval(timer))
}

function* endless(): Generator<string> {
  yield '{'
  for (;;) yield ' '.repeat(65_536)
}

/** The first so many requests go one way, the others the usual one. */
function firstly(source: FakeSource, times: number, answer: (response: ServerResponse, request: IncomingMessage) => void): void {
  let left = times
  source.odd = (request, response) => {
    if (left-- <= 0) return false
    answer(response, request)
    return true
  }
}

test('a file comes whole, with its server’s date, and not again where it is the same', async (t) => {
  const { source, path, tools, wanted } = await world(t)
  const got = await download(wanted(), tools)
  assert.ok(got.state === 'new')
  assert.equal(got.bytes, bytes.length)
  assert.deepEqual(readFileSync(path), bytes)
  assert.equal(statSync(path).mtime.toISOString(), '2026-11-01T00:00:00.000Z')
  assert.deepEqual(await download(wanted({ known: got.validators }), tools), { state: 'unchanged' })
  assert.equal(source.asked.length, 2)
})

test('what breaks off is gone on with from where it was, if it is the same file', async (t) => {
  const { source, path, tools, wanted } = await world(t)
  source.files.set('/data.json', { bytes, version: 'one' })
  firstly(source, 1, (response) => brokenOff(response, path, 50_000))
  await download(wanted(), tools)
  assert.deepEqual(readFileSync(path), bytes)
  assert.match(source.asked[1] ?? '', /^\/data\.json bytes=[1-9]\d*-$/)
  assert.equal(tools.pauses.length, 1)
})

test('… also by the next call, after a kill; another file is begun anew', async (t) => {
  const { source, path, tools, wanted } = await world(t, { tries: 1 })
  source.files.set('/data.json', { bytes, version: 'one' })
  firstly(source, 1, (response) => brokenOff(response, path, 50_000))
  await assert.rejects(download(wanted(), tools), { code: 'UNAVAILABLE' })
  await download(wanted(), tools)
  assert.deepEqual(readFileSync(path), bytes)

  firstly(source, 1, (response) => brokenOff(response, path, 50_000))
  await assert.rejects(download(wanted(), tools), { code: 'UNAVAILABLE' })
  const other = Buffer.from('{"other":1}')
  source.files.set('/data.json', { bytes: other, version: 'two' })
  await download(wanted(), tools)
  assert.deepEqual(readFileSync(path), other, 'nothing of the first is in it')
})

test('without a strong validator it is begun anew, as it might be another file', async (t) => {
  const { source, path, tools, wanted } = await world(t)
  firstly(source, 1, (response) => brokenOff(response, path, 50_000, { etag: 'W/"one"' }))
  await download(wanted(), tools)
  assert.deepEqual(readFileSync(path), bytes)
  assert.deepEqual(source.asked, ['/data.json', '/data.json'])
})

test('a rest that begins elsewhere is not believed', async (t) => {
  const { source, path, tools, wanted } = await world(t)
  let turn = 0
  source.odd = (_request, response) => {
    turn++
    if (turn === 1) brokenOff(response, path, 50_000)
    else if (turn === 2)
      response.writeHead(206, { etag: '"one"', 'content-range': `bytes 9-${bytes.length - 1}/${bytes.length}` }).end(bytes.subarray(9))
    return turn <= 2
  }
  await download(wanted(), tools)
  assert.deepEqual(readFileSync(path), bytes)
})

test('a page of HTML with status 200 is no data', async (t) => {
  for (const page of [{ bytes: Buffer.from('\n <!DOCTYPE html><html></html>') }, { bytes, type: 'text/html; charset=utf-8' }]) {
    const { source, tools, wanted } = await world(t)
    source.files.set('/data.json', page)
    await assert.rejects(download(wanted(), tools), {
      code: 'UNREADABLE',
      message: /data\.json is not what it should be: it is a page of HTML, not JSON/,
    })
    assert.equal(source.asked.length, 1, 'asking again is no use')
  }
})

test('what is of another kind is refused from its first bytes, and so is nothing at all', async (t) => {
  const { source, tools, wanted } = await world(t)
  await assert.rejects(download(wanted({ looks: 'zip' }), tools), /does not begin as a zip/)
  source.files.set('/data.json', { bytes: Buffer.alloc(0) })
  await assert.rejects(download(wanted(), tools), /data\.json is empty/)
})

test('one that never ends is given up at the limit, told or not', async (t) => {
  const { source, tools, wanted } = await world(t)
  source.odd = (_request, response) => {
    response.writeHead(200)
    Readable.from(endless()).pipe(response)
    return true
  }
  await assert.rejects(download(wanted({ mostBytes: 300_000 }), tools), { code: 'LIMIT_EXCEEDED', message: /larger than 300000 bytes/ })
  source.odd = undefined
  source.asked.length = 0
  await assert.rejects(download(wanted({ mostBytes: 1000 }), tools), { code: 'LIMIT_EXCEEDED' })
  assert.equal(source.asked.length, 1)
})

test('one that drips is given up in time, and gone on with later', async (t) => {
  const { source, path, tools, wanted } = await world(t, { fileMs: 400 })
  source.files.set('/data.json', { bytes, version: 'one' })
  const drip = setInterval(() => dripping?.write(' '), 20)
  let dripping: ServerResponse | undefined
  t.after(() => clearInterval(drip))
  firstly(source, 1, (response) => {
    response.writeHead(200, { etag: '"one"' })
    response.write(bytes.subarray(0, 50_000))
    dripping = response
  })
  await assert.rejects(download(wanted(), tools), { code: 'TIMED_OUT', message: /took longer than 0\.4 s/ })
  clearInterval(drip)
  await download(wanted(), { ...tools, limits: { ...tools.limits, fileMs: 60_000 } })
  assert.match(source.asked[1] ?? '', /bytes=\d+-/)
  assert.equal(statSync(path).size, bytes.length)
})

test('one that stands still is given up, and asked again', async (t) => {
  const { source, path, tools, wanted } = await world(t, { idleMs: 100 })
  firstly(source, 1, (response) => void response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 10)))
  await download(wanted(), tools)
  assert.deepEqual(readFileSync(path), bytes)
})

test('redirects are followed on the same host, and to no other that is not listed', async (t) => {
  const { source, path, tools, wanted } = await world(t)
  const other = await fakeSource(t)
  other.files.set('/data.json', { bytes })
  const lead = (location: string) => {
    source.odd = (_request, response, asked) => asked === '/current' && response.writeHead(302, { location }).end() !== undefined
  }
  const url = new URL('/current', source.base)
  lead('/data.json')
  await download(wanted({ url }), tools)
  assert.deepEqual(readFileSync(path), bytes)
  lead(`${other.base}/data.json`)
  await assert.rejects(download(wanted({ url }), tools), {
    code: 'DENIED',
    message: /leads to another host, 127\.0\.0\.1:\d+: that is not followed/,
  })
  assert.deepEqual(other.asked, [])
  await download(wanted({ url, hosts: [new URL(other.base).host] }), tools)
  assert.deepEqual(other.asked, ['/data.json'])
  for (const [location, words] of [
    ['/current', /more than 5 redirects/],
    ['file:///etc/passwd', /leads to another host/],
    [`ftp://${new URL(source.base).host}/`, /leads from http: to ftp:/],
    [`http://me:secret@${new URL(source.base).host}/`, /a user in it/],
    ['http://[', /leads to what is no URL/],
  ] as const) {
    lead(location)
    await assert.rejects(download(wanted({ url }), tools), words)
  }
})

test('a server that is busy is asked again at growing distances, as it says, and not for ever', async (t) => {
  const { source, tools, wanted } = await world(t)
  firstly(source, 2, (response) => response.writeHead(503).end())
  await download(wanted(), tools)
  assert.deepEqual(tools.pauses, [1000, 2000])

  tools.pauses.length = 0
  firstly(source, 1, (response) => response.writeHead(429, { 'retry-after': '7' }).end())
  await download(wanted(), tools)
  assert.deepEqual(tools.pauses, [7000])

  tools.pauses.length = 0
  firstly(source, 99, (response) => response.writeHead(503, { 'retry-after': '3600' }).end())
  await assert.rejects(download(wanted(), tools), { afterMs: 3_600_000, message: /answers 503, and asks to be left alone for 3600 s/ })
  assert.deepEqual(tools.pauses, [], 'so long nobody waits: it is noted for the next time')

  source.asked.length = 0
  firstly(source, 99, (response) => response.writeHead(500).end())
  await assert.rejects(download(wanted(), tools), /answers 500/)
  assert.equal(source.asked.length, 4)

  source.asked.length = 0
  firstly(source, 99, (response) => response.writeHead(403).end())
  await assert.rejects(download(wanted(), tools), /answers 403/)
  assert.equal(source.asked.length, 1)
})

test('bytes that are not those that the storage names by their hash are not taken', async (t) => {
  const { source, path, tools, wanted } = await world(t)
  const md5 = createHash('md5').update(bytes).digest('base64')
  const flipped = Buffer.from(bytes)
  flipped[100] = 0x79
  firstly(source, 1, (response) => response.writeHead(200, { 'x-goog-hash': `crc32c=AAAAAA==,md5=${md5}` }).end(flipped))
  await download(wanted(), tools)
  assert.deepEqual(readFileSync(path), bytes)
  assert.equal(source.asked.length, 2)
})

test('Retry-After as seconds or a date, a day at most, and nothing else', () => {
  const now = Date.parse('2026-11-24T12:00:00Z')
  assert.deepEqual(
    [null, '5', 'Tue, 24 Nov 2026 12:01:00 GMT', 'Tue, 24 Nov 2020 12:00:00 GMT', '999999999', 'soon'].map((text) =>
      retryAfterMs(text, now),
    ),
    [undefined, 5000, 60_000, 0, 86_400_000, undefined],
  )
})

test('pauses grow, have an end, and half of each is by chance', () => {
  const { limits } = quickTools()
  const pause = (attempt: number, random: number) =>
    pauseAfter(attempt, undefined, { limits: { ...limits, tries: 99 }, random: () => random })
  assert.deepEqual([pause(1, 0), pause(1, 1), pause(2, 1), pause(3, 1), pause(50, 1)], [500, 1000, 2000, 4000, 60_000])
  assert.equal(pauseAfter(limits.tries, undefined, { limits, random: () => 1 }), undefined)
})
