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

export type ImportOutcome = { report: ImportReport } | { code: ErrorCode; problem: string }

/** Takes a file of advisory data that somebody sends. */
export interface AdvisoryImports {
  /**
   * In: the bytes, and what is said of them. Out: what was read, once it is in force. One at a time.
   * Throws LIMIT_EXCEEDED beyond the limit, CONFLICT while another import runs, and what `importAdvisories` throws.
   */
  take(body: Readable, about: SentFile): Promise<ImportReport>
}

export interface SentFile {
  /** As reports call it; `.jsonl` in it says that a broken line costs no other. */
  name: string
  /** When it was last changed: the date of data that carries none itself. Milliseconds since 1970. */
  changedAt?: number
}

/** Names that are safe as the name of a file here. */
export function isSentName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(text)
}

export const mostImportBytes = 2 * 1024 ** 3
const mostImportMs = 30 * 60_000
const niceness = 5
const heapMegabytes = 4096

export function createAdvisoryImports(dataFolder: string, limits: { bytes?: number; ms?: number } = {}): AdvisoryImports {
  const incoming = join(dataFolder, 'incoming')
  let busy = false

  async function taken(body: Readable, { name, changedAt }: SentFile): Promise<ImportReport> {
    if (!isSentName(name)) throw new LazaretError('INPUT_INVALID', `not a file name: ${JSON.stringify(name.slice(0, 60))}`)
    await clear(incoming)
    const folder = join(incoming, randomUUID())
    const path = join(folder, name)
    try {
      await mkdir(folder, { mode: 0o700 })
      await pipeline(body, bounded(limits.bytes ?? mostImportBytes), createWriteStream(path, { flags: 'wx', mode: 0o600 }))
      if (changedAt !== undefined) await utimes(path, new Date(), new Date(changedAt))
      const outcome = await importBeside(path, dataFolder, limits.ms ?? mostImportMs)
      if ('report' in outcome) return { ...outcome.report, files: outcome.report.files.map((file) => ({ ...file, path: named(file.path, folder) })) }
      throw new LazaretError(outcome.code, named(outcome.problem, folder))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  return {
    async take(body, about) {
      if (busy) throw new LazaretError('CONFLICT', 'another import is running')
      busy = true
      try {
        return await taken(body, about)
      } finally {
        busy = false
      }
    },
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

function importBeside(path: string, dataFolder: string, ms: number): Promise<ImportOutcome> {
  const child = fork(fileURLToPath(new URL('./import-entry.ts', import.meta.url)), [path, dataFolder], {
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
