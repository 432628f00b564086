// A server that speaks as the sources do, over a real socket, and does wrong where a test wants it to.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createOutgoing } from '../../kit/outgoing/outgoing.ts'
import { osvRecord, zipOf } from '../test-support.ts'
import { type FetchLimits, type FetchTools, fetchTools } from './tools.ts'

export interface Served {
  bytes: Buffer
  /** Of the ETag, and of Last-Modified. */
  version?: string
  modified?: Date
  type?: string
}

export type Answer = (request: IncomingMessage, response: ServerResponse, path: string) => boolean | Promise<boolean>

export interface FakeSource {
  base: string
  files: Map<string, Served>
  /** `GET PATH` of each request, with its Range. */
  asked: string[]
  /** Answers before the files do, where it returns true. */
  odd: Answer | undefined
}

/** Serves files with validators and ranges (RFC 9110, 13 and 14), as the storage behind OSV and CISA's web server do. */
export async function fakeSource(t: TestContext): Promise<FakeSource> {
  const source: FakeSource = { base: '', files: new Map(), asked: [], odd: undefined }
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://source').pathname)
    source.asked.push([path, request.headers.range].filter((part) => part !== undefined).join(' '))
    void answer(source, request, response, path)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  source.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return source
}

async function answer(source: FakeSource, request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  if (source.odd !== undefined && (await source.odd(request, response, path))) return
  const file = source.files.get(path)
  if (file === undefined) return void response.writeHead(404).end('no such object')
  const etag = `"${file.version ?? createHash('sha256').update(file.bytes).digest('hex').slice(0, 16)}"`
  const modified = (file.modified ?? new Date('2026-11-01T00:00:00Z')).toUTCString()
  const headers = { etag, 'last-modified': modified, 'content-type': file.type ?? 'application/octet-stream' }
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, headers).end()
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
  const ifRange = request.headers['if-range']
  if (from === undefined || (ifRange !== undefined && ifRange !== etag)) {
    return void response.writeHead(200, { ...headers, 'content-length': file.bytes.length }).end(file.bytes)
  }
  if (Number(from) >= file.bytes.length) return void response.writeHead(416).end()
  const rest = file.bytes.subarray(Number(from))
  const range = `bytes ${from}-${file.bytes.length - 1}/${file.bytes.length}`
  response.writeHead(206, { ...headers, 'content-range': range, 'content-length': rest.length }).end(rest)
}

export type Records = Record<string, unknown>[]

/** Puts an ecosystem on the server as OSV's export does: archive, list of changes, a file a record. */
export function serveOsv(source: FakeSource, ecosystem: string, records: Records, modified = new Date()): void {
  const sorted = records.toSorted((a, b) => String(b['modified']).localeCompare(String(a['modified'])))
  const entries = records.map((record) => ({ name: `${record['id']}.json`, bytes: json(record) }))
  source.files.set(`/${ecosystem}/all.zip`, { bytes: zipOf(entries), modified })
  source.files.set(`/${ecosystem}/modified_id.csv`, {
    bytes: Buffer.from(sorted.map((one) => `${one['modified']},${one['id']}\n`).join('')),
    modified,
  })
  for (const record of records) source.files.set(`/${ecosystem}/${record['id']}.json`, { bytes: json(record) })
}

/** Changes the list and the records, and not the archive, as it is between two exports. */
export function changeOsv(source: FakeSource, ecosystem: string, records: Records, modified = new Date()): void {
  const archive = source.files.get(`/${ecosystem}/all.zip`)
  serveOsv(source, ecosystem, records, modified)
  if (archive !== undefined) source.files.set(`/${ecosystem}/all.zip`, archive)
}

export function record(id: string, name: string, fixed: string, modified: string, more: Record<string, unknown> = {}) {
  return osvRecord(id, 'PyPI', name, fixed, { modified, ...more })
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value, undefined, 1))
}

/** Pauses are noted, not waited. */
export function quickTools(
  limits: Partial<FetchLimits> = {},
  signal: AbortSignal = new AbortController().signal,
): FetchTools & { pauses: number[] } {
  const outgoing = createOutgoing({ network: { allowPrivate: [] } }, {})
  const pauses: number[] = []
  return { ...fetchTools(outgoing, signal, limits), random: () => 1, pause: async (ms) => void pauses.push(ms), pauses }
}
