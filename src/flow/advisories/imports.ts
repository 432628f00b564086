import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rm, utimes } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { ImportReport } from '../../advisories/import.ts'
import { LazaretError, type ErrorCode } from '../../kit/errors.ts'
import { recordAudit, type Actor } from '../../store/audit.ts'
import type { Records } from '../../store/records/records.ts'
import type { AdvisoryWatch } from './watch.ts'

export type ImportOutcome = { report: ImportReport } | { code: ErrorCode; problem: string }

/** Takes a file of advisory data that somebody sends. */
export interface AdvisoryImports {
  /**
   * In: who sends it, the bytes, and what is said of them. Out: what was read, once it is in force and what follows from it
   * is queued. One at a time. Throws LIMIT_EXCEEDED beyond the limit, CONFLICT while another import runs, INPUT_INVALID where
   * the sender breaks off, and what `importAdvisories` throws.
   */
  take(actor: Actor, body: Readable, about: SentFile): Promise<ImportReport>
}

export interface SentFile {
  /** As reports call it; `.jsonl` in it says that a broken line costs no other. */
  name: string
  /** When it was last changed: the date of data that carries none itself. Milliseconds since 1970. */
  changedAt?: number
  /** Of a signed export: takes one that no trusted key signed. */
  allowUnsigned?: boolean
  /** Of a signed export: takes one that goes back in time. */
  older?: boolean
}

/** Names that are safe as the name of a file here. */
export function isSentName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(text)
}

export const mostImportBytes = 2 * 1024 ** 3
const mostImportMs = 30 * 60_000
const niceness = 5
const heapMegabytes = 4096

export interface ImportsParts {
  dataFolder: string
  records: Records
  watch: Pick<AdvisoryWatch, 'look'>
  now: () => number
  /** Whose signed exports are taken: `ed25519:BASE64` each. */
  trustedKeys: () => Promise<readonly string[]>
  mostBytes?: number
  mostMs?: number
}

export function createAdvisoryImports({
  dataFolder,
  records,
  watch,
  now,
  trustedKeys,
  mostBytes = mostImportBytes,
  mostMs = mostImportMs,
}: ImportsParts): AdvisoryImports {
  const incoming = join(dataFolder, 'incoming')
  let busy = false

  async function taken(body: Readable, { name, changedAt, allowUnsigned, older }: SentFile): Promise<ImportReport> {
    if (!isSentName(name)) throw new LazaretError('INPUT_INVALID', `not a file name: ${JSON.stringify(name.slice(0, 60))}`)
    await clear(incoming)
    const folder = join(incoming, randomUUID())
    const path = join(folder, name)
    try {
      await mkdir(folder, { mode: 0o700 })
      await receive(body, path, mostBytes)
      if (changedAt !== undefined) await utimes(path, new Date(), new Date(changedAt))
      const outcome = await importBeside({ path, dataFolder, trustedKeys: await trustedKeys(), allowUnsigned, older }, mostMs)
      if ('report' in outcome)
        return { ...outcome.report, files: outcome.report.files.map((file) => ({ ...file, path: named(file.path, folder) })) }
      throw new LazaretError(outcome.code, named(outcome.problem, folder))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  return {
    async take(actor, body, about) {
      if (busy) throw new LazaretError('CONFLICT', 'another import is running')
      busy = true
      try {
        const report = await taken(body, about)
        await records.write((tx) => recordAudit(tx, { ...actor, ...auditOf(report), result: 'done', at: now() }))
        await watch.look()
        return report
      } finally {
        busy = false
      }
    },
  }
}

function auditOf(report: ImportReport) {
  const files = report.files.slice(0, 10).map(({ path, added, replaced }) => ({ path, added, replaced }))
  const { export: taken } = report
  const from =
    taken === undefined
      ? {}
      : { export: taken.revision, ...(taken.signedBy === undefined ? { unsigned: true } : { signedBy: taken.signedBy }) }
  return { action: 'advisories.import', subject: report.revision, detail: { changed: report.changed, files, ...from } }
}

async function receive(body: Readable, path: string, mostBytes: number): Promise<void> {
  try {
    await pipeline(body, bounded(mostBytes), createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE')
      throw new LazaretError('INPUT_INVALID', 'the file broke off on the way', { cause })
    throw cause
  }
}

/** What a killed server left is gone before more comes. */
async function clear(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) await rm(join(folder, name), { force: true, recursive: true })
}

function bounded(most: number) {
  return async function* (chunks: AsyncIterable<Buffer>) {
    let size = 0
    for await (const chunk of chunks) {
      size += chunk.length
      if (size > most) throw new LazaretError('LIMIT_EXCEEDED', `the file is larger than ${most} bytes`)
      yield chunk
    }
  }
}

/** Nothing of this machine's paths goes out. */
function named(text: string, folder: string): string {
  return text.replaceAll(`${folder}/`, '')
}

/** What the process beside is told. */
export interface ImportOrder {
  path: string
  dataFolder: string
  trustedKeys: readonly string[]
  allowUnsigned: boolean | undefined
  older: boolean | undefined
}

function importBeside(order: ImportOrder, ms: number): Promise<ImportOutcome> {
  const child = fork(fileURLToPath(new URL('./import-entry.ts', import.meta.url)), [JSON.stringify(order)], {
    execArgv: [`--max-old-space-size=${heapMegabytes}`, '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  if (child.pid !== undefined) setPriority(child.pid, niceness)
  return new Promise((resolve, reject) => {
    let outcome: ImportOutcome | undefined
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, ms)
    child.once('message', (message) => (outcome = message as ImportOutcome))
    child.once('error', (cause) => reject(new LazaretError('INTERNAL', 'the import could not be started', { cause })))
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      if (outcome !== undefined) resolve(outcome)
      else if (late) reject(new LazaretError('TIMED_OUT', `the import took more than ${ms / 1000} s`))
      else reject(new LazaretError('INTERNAL', `the import ended (${signal ?? `code ${code}`})`))
    })
  })
}
