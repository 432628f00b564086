// A thread that hashes files behind those who write them (see digests.ts). Its messages in, and out:
//   follow  {id, path, algorithm}   reach {id, upTo}   digest {id, upTo}   leave {id}
//   {id, digest} or {id, problem}, one for each `digest`
import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { messageOf } from '../../kit/errors.ts'
import type { DigestAlgorithm } from '../../model/digest.ts'

export type ToThread =
  | { kind: 'follow'; id: number; path: string; algorithm: DigestAlgorithm }
  | { kind: 'reach' | 'digest'; id: number; upTo: number }
  | { kind: 'leave'; id: number }

export type FromThread = { id: number; digest: string } | { id: number; problem: string }

interface Followed {
  path: string
  hash: Hash
  position: number
  /** So many bytes are in the file. */
  target: number
  /** The digest is asked for when so many are hashed. */
  wanted: number | undefined
  file: number | undefined
  problem: string | undefined
}

const piece = Buffer.allocUnsafeSlow(256 * 1024)
/** Then the others have their turn: a large upload that is resumed is hashed from its beginning. */
const piecesInATurn = 16
const followed = new Map<number, Followed>()
const port = parentPort
let working = false

port?.on('message', (message: ToThread) => {
  if (message.kind === 'follow') {
    const { id, path, algorithm } = message
    const hash = createHash(algorithm)
    followed.set(id, { path, hash, position: 0, target: 0, wanted: undefined, file: undefined, problem: undefined })
    return
  }
  const one = followed.get(message.id)
  if (one === undefined) return
  if (message.kind === 'leave') return leave(message.id, one)
  one.target = Math.max(one.target, message.upTo)
  if (message.kind === 'digest') one.wanted = message.upTo
  if (!working) work()
})

function work(): void {
  working = false
  for (const [id, one] of followed) {
    hashATurn(one)
    const isAtEnd = one.problem !== undefined || one.position >= one.target
    if (isAtEnd && one.wanted !== undefined) {
      one.wanted = undefined
      port?.postMessage(answer(id, one))
    }
    working ||= !isAtEnd
  }
  if (working) setImmediate(work)
}

/** What fails is told to who asks for the digest. */
function hashATurn(one: Followed): void {
  try {
    for (let pieces = 0; pieces < piecesInATurn && one.problem === undefined && one.position < one.target; pieces++) {
      one.file ??= openSync(one.path, 'r')
      const count = readSync(one.file, piece, 0, Math.min(piece.length, one.target - one.position), one.position)
      if (count === 0) one.problem = `the file ends at ${one.position} bytes, where ${one.target} were written`
      one.hash.update(piece.subarray(0, count))
      one.position += count
    }
  } catch (error) {
    one.problem = messageOf(error)
  }
}

function answer(id: number, { problem, hash }: Followed): FromThread {
  return problem === undefined ? { id, digest: hash.copy().digest('hex') } : { id, problem }
}

function leave(id: number, { file }: Followed): void {
  followed.delete(id)
  if (file !== undefined) closeSync(file)
}
