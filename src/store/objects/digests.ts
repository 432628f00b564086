import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { LazaretError } from '../../kit/errors.ts'
import type { DigestAlgorithm } from '../../model/digest.ts'
import type { FromThread, ToThread } from './digest-thread.ts'

/** Hashes files in threads of their own, from the page cache, while they are written: a digest is half of what a large push costs. */
export interface Digests {
  /** In: a file that is only appended to. Nothing of it is read yet. */
  follow(path: string, algorithm: DigestAlgorithm): Follower
  /** Ends the threads. */
  close(): Promise<void>
}

/** One file that is hashed as it grows. */
export interface Follower {
  /** So many bytes are in the file. Never waits, never throws. */
  reach(upTo: number): void
  /** Out: the digest of its first `upTo` bytes, in hex. Throws LazaretError INTERNAL where they can't be read. */
  digest(upTo: number): Promise<string>
  /** Lets go of the file. */
  leave(): void
}

/** A thread takes some megabytes: after a rest without any file it goes, and comes back with the next. */
const restMs = 30_000
const mostThreads = 4
/** A message wakes the thread, which costs more than the call of it. */
const toldEveryBytes = 4 << 20

export function createDigests(): Digests {
  const threads: HashThread[] = Array.from({ length: Math.min(mostThreads, Math.max(1, availableParallelism() - 1)) }, createHashThread)
  let nextId = 0
  return {
    follow(path, algorithm) {
      const thread = threads.reduce((least, one) => (one.files() < least.files() ? one : least))
      return thread.follow(nextId++, path, algorithm)
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.end()))
    },
  }
}

interface HashThread {
  files(): number
  follow(id: number, path: string, algorithm: DigestAlgorithm): Follower
  end(): Promise<void>
}

interface Asked {
  resolve: (digest: string) => void
  reject: (error: Error) => void
}

function createHashThread(): HashThread {
  const files = new Set<number>()
  const asked = new Map<number, Asked>()
  let worker: Worker | undefined
  let rest: NodeJS.Timeout | undefined

  function running(): Worker {
    clearTimeout(rest)
    if (worker !== undefined) return worker
    const started = new Worker(new URL('digest-thread.ts', import.meta.url))
    started.unref()
    started.on('message', settle)
    started.on('error', (error: Error) => lose(started, error))
    started.on('exit', () => lose(started, new Error('its thread ended')))
    worker = started
    return started
  }

  function settle(message: FromThread): void {
    const waiting = asked.get(message.id)
    asked.delete(message.id)
    if (asked.size === 0) worker?.unref()
    if ('digest' in message) waiting?.resolve(message.digest)
    else waiting?.reject(unread(message.problem))
  }

  /** Files of a thread that is gone have no digest from it; those that come have a new thread. */
  function lose(gone: Worker, error: Error): void {
    if (worker !== gone) return
    worker = undefined
    for (const { reject } of asked.values()) reject(unread(error.message))
    asked.clear()
    files.clear()
  }

  function leave(id: number): void {
    if (files.delete(id)) worker?.postMessage({ kind: 'leave', id } satisfies ToThread)
    if (files.size > 0) return
    clearTimeout(rest)
    rest = setTimeout(() => void end(), restMs)
    rest.unref()
  }

  async function end(): Promise<void> {
    clearTimeout(rest)
    const ending = worker
    if (ending === undefined) return
    lose(ending, new Error('the store is closed'))
    await ending.terminate()
  }

  return {
    files: () => files.size,
    follow(id, path, algorithm) {
      const thread = running()
      const tell = (message: ToThread) => {
        if (files.has(id)) thread.postMessage(message)
      }
      let told = 0
      files.add(id)
      tell({ kind: 'follow', id, path, algorithm })
      return {
        reach(upTo) {
          if (upTo - told < toldEveryBytes) return
          told = upTo
          tell({ kind: 'reach', id, upTo })
        },
        digest: (upTo) =>
          new Promise((resolve, reject) => {
            if (!files.has(id)) return reject(unread('its thread ended'))
            asked.set(id, { resolve, reject })
            thread.ref() // somebody waits for it
            tell({ kind: 'digest', id, upTo })
          }),
        leave: () => leave(id),
      }
    },
    end,
  }
}

function unread(problem: string): LazaretError {
  return new LazaretError('INTERNAL', `the bytes of an upload can't be read again for their digest: ${problem}`)
}
