// A thousand clients that begin at the same moment.
import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { sha256 } from '../../test/support/content.ts'
import { putBlob, token, type Asked } from './client.ts'
import { MiB, quantile, timed } from './load.ts'

export interface Crowd {
  done: number
  refused: string[]
  seconds: number
  /** Of the slowest request for a token; undefined where none is asked for. */
  slowestTokenMs: number | undefined
}

/** Each asks for a token where one is needed, then begins an upload and sends 1 MiB. */
export async function crowd(peer: Asked, repository: string, clients: number): Promise<Crowd> {
  const body = Buffer.alloc(MiB, 5)
  const blobs = Array.from({ length: clients }, () => {
    const bytes = Buffer.from(body)
    randomBytes(64).copy(bytes)
    return { bytes, digest: sha256(bytes) }
  })
  const through = new Agent({ keepAlive: true, maxSockets: clients })
  const refused: string[] = []
  const tokens: number[] = []

  async function one({ bytes, digest }: { bytes: Buffer; digest: string }): Promise<void> {
    try {
      const began = performance.now()
      let signed = peer
      if (peer.authorization !== undefined) {
        signed = { ...peer, authorization: `Bearer ${await token(peer, `repository:${repository}:pull,push`, through)}` }
        tokens.push(performance.now() - began)
      }
      await putBlob(signed, repository, digest, bytes, through)
    } catch (error) {
      refused.push(String(error))
    }
  }

  try {
    const ms = await timed(() => Promise.all(blobs.map(one)))
    const slowestTokenMs = tokens.length === 0 ? undefined : quantile(tokens, 1)
    return { done: clients - refused.length, refused, seconds: ms / 1000, slowestTokenMs }
  } finally {
    through.destroy()
  }
}
