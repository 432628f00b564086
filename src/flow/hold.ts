import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { LazaretError, messageOf } from '../kit/errors.ts'

/*
 *  DATA/
 *    hold          locked by the one process that has the folder open; the system frees it when that process dies, however it dies
 *    holder.json   who that is, for the words of a refusal; believed only while the lock is held
 */

/** Who holds a data folder. */
export interface Holder {
  pid: number
  /** `serve`, or the command that opened the folder by itself. */
  command: string
  /** Where a server answers, once it listens. */
  address?: string
}

/** A data folder, held by this process alone until released or until the process ends. */
export interface Hold {
  /** Tells those who are refused where to ask instead. */
  announce(address: string): void
  release(): void
}

/** Commands are short: who comes upon one waits for it. */
const patienceMs = 10_000
const pollMs = 100
const mostHolderBytes = 4096

/**
 * In: the data folder (made where it is missing), and what is to be done with it. Out: the hold.
 * Throws CONFLICT where another process has the folder, naming the server's address where it is one; UNAVAILABLE where the
 * folder can't be written.
 */
export async function takeHold(dataFolder: string, command: string, waitMs = patienceMs): Promise<Hold> {
  writing(dataFolder, () => mkdirSync(dataFolder, { recursive: true, mode: 0o700 }))
  const deadline = Date.now() + waitMs
  for (let looks = 1; ; looks++) {
    const lock = tryLock(join(dataFolder, 'hold'))
    if (lock !== undefined) return holdOf(dataFolder, command, lock)
    const holder = readHolder(dataFolder)
    // The first look may have read what a holder before this one left.
    const isServer = holder?.command === 'serve' && looks > 1
    if (isServer || Date.now() >= deadline) throw refusal(dataFolder, holder)
    await sleep(pollMs)
  }
}

function holdOf(dataFolder: string, command: string, lock: DatabaseSync): Hold {
  const path = join(dataFolder, 'holder.json')
  const write = (holder: Holder) => writeWhole(path, JSON.stringify({ ...holder, since: new Date().toISOString() }))
  const holder = { pid: process.pid, command }
  try {
    writing(dataFolder, () => write(holder))
  } catch (error) {
    lock.close() // a lock can be had where nothing can be written
    throw error
  }
  return {
    announce: (address) => write({ ...holder, address }),
    release() {
      rmSync(path, { force: true })
      lock.close()
    },
  }
}

function writing<T>(dataFolder: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new LazaretError('UNAVAILABLE', `the data folder ${dataFolder} can't be written: ${messageOf(cause)}`, { cause })
  }
}

/** Out: undefined where another process has it. */
function tryLock(path: string): DatabaseSync | undefined {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(path, { timeout: 0 })
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock?.close()
    if (isBusy(error)) return undefined
    throw new LazaretError('UNAVAILABLE', `${path} can't be locked: ${messageOf(error)}`, { cause: error })
  }
}

/** SQLITE_BUSY, with whatever extension. */
function isBusy(error: unknown): boolean {
  return (Number((error as { errcode?: unknown }).errcode) & 0xff) === 5
}

/** Who has the folder open, without a try to take it. Out: undefined where nobody does, as far as the system tells. */
export function liveHolder(dataFolder: string): Holder | undefined {
  const holder = readHolder(dataFolder)
  return holder !== undefined && isAlive(holder.pid) ? holder : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readHolder(dataFolder: string): Holder | undefined {
  try {
    const text = readFileSync(join(dataFolder, 'holder.json'), 'utf8')
    const value = JSON.parse(text.slice(0, mostHolderBytes)) as Partial<Holder> | null
    if (typeof value?.pid !== 'number' || typeof value.command !== 'string') return undefined
    return { pid: value.pid, command: value.command, ...(typeof value.address === 'string' ? { address: value.address } : {}) }
  } catch (error) {
    // It only adds words to a refusal that is certain already.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function refusal(dataFolder: string, holder: Holder | undefined): LazaretError {
  return new LazaretError('CONFLICT', `the data folder ${dataFolder} is held by ${holderWords(holder)}`, { detail: { holder } })
}

function holderWords(holder: Holder | undefined): string {
  if (holder === undefined) return 'another process of Lazaret'
  if (holder.command !== 'serve') return `lazaret ${holder.command} (process ${holder.pid})`
  if (holder.address === undefined) return `a server that is starting (process ${holder.pid})`
  return `the server at ${holder.address} (process ${holder.pid})`
}

function writeWhole(path: string, text: string): void {
  const work = `${path}.${process.pid}`
  writeFileSync(work, `${text}\n`, { mode: 0o600 })
  renameSync(work, path)
}
