import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { once } from 'node:events'
import { isUtf8 } from 'node:buffer'
import { isObject, own } from '../fields.ts'
import { osv } from '../sources/osv.ts'
import { type Dropped, Tally } from '../tally.ts'
import { ask, asProblem, shown } from './ask.ts'
import { waitOrGiveUp } from './download.ts'
import { FetchProblem } from './problem.ts'
import type { FetchTools } from './tools.ts'

export interface GotRecords {
  written: number
  bytes: number
  /** Named by the list and not there (404): to be asked for again the next time. */
  missing: string[]
  dropped: Dropped[]
}

/**
 * In: ids, where each lies, and a path. Out: the records in a file of JSON lines there, and what was left out. A record that is no
 * JSON, too large or another's costs itself alone; a server that does not answer costs the lot, as nothing may be lost unseen.
 */
export async function fetchRecords(
  ids: readonly string[],
  placeOf: (id: string) => { url: URL; hosts: readonly string[] },
  path: string,
  tools: FetchTools,
): Promise<GotRecords> {
  const tally = new Tally()
  const got: Omit<GotRecords, 'dropped'> = { written: 0, bytes: 0, missing: [] }
  const out = createWriteStream(path, { mode: 0o600 })
  const failed = new AbortController()
  const opened = once(out, 'open')
  const written = finished(out)
  written.catch(() => undefined) // told below, when it is waited for
  const waiting = [...ids].reverse()

  async function worker(): Promise<void> {
    for (let id = waiting.pop(); id !== undefined && !failed.signal.aborted; id = waiting.pop()) {
      const line = await lineOf(id, placeOf(id), { ...tools, signal: AbortSignal.any([tools.signal, failed.signal]) }, tally, got.missing)
      if (line === undefined) continue
      got.written++
      got.bytes += line.length
      if (!out.write(line)) await Promise.race([once(out, 'drain'), written])
    }
  }

  try {
    await opened
    const workers = Array.from({ length: Math.min(tools.limits.atOnce, ids.length) }, () =>
      worker().catch((error: unknown) => failed.abort(error)),
    )
    await Promise.all(workers)
    failed.signal.throwIfAborted()
    out.end()
    await written
  } finally {
    out.destroy()
  }
  return { ...got, dropped: tally.list() }
}

/** Out: undefined where it was left out, and counted. */
async function lineOf(
  id: string,
  place: { url: URL; hosts: readonly string[] },
  tools: FetchTools,
  tally: Tally,
  missing: string[],
): Promise<Buffer | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return lineFrom(await bytesOf(place, tools), id, tally)
    } catch (error) {
      const problem = asProblem(error)
      if (problem.answered === 404) {
        missing.push(id)
        return tally.drop('listed, but not there: asked for again the next time', id)
      }
      if (problem.code === 'LIMIT_EXCEEDED') return tally.drop(`larger than ${tools.limits.recordBytes} bytes`, id)
      await waitOrGiveUp(problem, attempt, tools, tools.signal)
    }
  }
}

async function bytesOf(place: { url: URL; hosts: readonly string[] }, tools: FetchTools): Promise<Buffer> {
  const { fileMs, recordBytes } = tools.limits
  const late = new AbortController()
  const timer = setTimeout(
    () => late.abort(new FetchProblem('TIMED_OUT', `${shown(place.url)} took longer than ${fileMs / 1000} s`)),
    fileMs,
  )
  try {
    const response = await ask({ ...place, headers: { accept: 'application/json' } }, tools, AbortSignal.any([tools.signal, late.signal]))
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > recordBytes) throw new FetchProblem('LIMIT_EXCEEDED', `${shown(place.url)} is larger than ${recordBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    clearTimeout(timer)
  }
}

/** JSON has line ends only between its words, so as one line it says the same. */
function lineFrom(bytes: Buffer, id: string, tally: Tally): Buffer | undefined {
  if (!isUtf8(bytes)) return tally.drop('not UTF-8', id)
  const text = bytes.toString('utf8').replace(/^\ufeff/, '')
  const value = parsed(text)
  if (!isObject(value)) return tally.drop('not a JSON object', id)
  if (own(value, 'id') !== id) return tally.drop('not the record that was asked for', id)
  if (!osv.recognises(value)) return tally.drop('not a record of OSV', id)
  return Buffer.from(`${text.replaceAll(/[\r\n]/g, ' ')}\n`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined // counted by who asked
    throw error
  }
}
