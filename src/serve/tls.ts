import { readFileSync, statSync } from 'node:fs'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import { messageOf } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'

export interface TlsFiles {
  cert: string
  key: string
}

const lookEveryMs = 5_000

/** In: paths. Out: certificate chain and key, PEM, known to fit each other. Throws where they can't be read or don't. */
export function readTls(files: TlsFiles): { cert: Buffer; key: Buffer } {
  const pair = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
  createSecureContext(pair)
  return pair
}

/**
 * Puts a new certificate in force when its files change. One that can't be used is said loudly, and the old one goes on.
 * Out: what ends it.
 */
export function followTls(server: Server, files: TlsFiles, log: Log, everyMs = lookEveryMs): () => void {
  let seen = stamp(files)
  const timer = setInterval(() => {
    const now = stamp(files)
    if (now === seen) return
    seen = now
    try {
      server.setSecureContext(readTls(files))
      log.info({ cert: files.cert }, 'a new certificate is in force')
    } catch (error) {
      log.error({ cert: files.cert, problem: messageOf(error) }, 'the new certificate cannot be used: the old one goes on')
    }
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** A file that is missing for a moment, as while it is replaced, is a change too. */
function stamp({ cert, key }: TlsFiles): string {
  return [cert, key]
    .map((path) => {
      const stats = statSync(path, { throwIfNoEntry: false })
      return `${stats?.mtimeMs ?? 0}/${stats?.ino ?? 0}/${stats?.size ?? 0}`
    })
    .join(' ')
}
