// What a server that knows an image takes for its findings: the row of the table that no scan is timed for.
import { createReadStream, existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { must, type Asked, manifestType, upload } from '../registry/client.ts'
import { median, timed } from '../registry/load.ts'
import { basic, startLazaret, stopServer } from '../server.ts'
import { collect } from '../../src/kit/streams/collect.ts'
import type { MadeImage } from './image.ts'

export const servedWords = 'from the server'
const name = 'bench/debian'
const asks = 100

/** In: an image, and a folder for the data of a server. Out: the row of the table. Throws where the server does not judge it. */
export async function servedRow(what: string, image: MadeImage, folder: string): Promise<string> {
  const server = await startLazaret(folder)
  try {
    const peer = { name: 'Lazaret' as const, server, origin: server.origin, authorization: basic }
    await push(peer, image)
    const path = `/api/v1/findings?image=${name}:1`
    await judged(peer)
    const { items } = JSON.parse((await must(peer, 200, 'GET', path)).body) as { items: unknown[] }
    const taken: number[] = []
    for (let at = 0; at < asks; at++) taken.push(await timed(() => must(peer, 200, 'GET', path)))
    const shown = `${median(taken).toFixed(1)} ms (${Math.min(...taken).toFixed(1)} at least), a page of ${items.length} findings`
    return `| ${[`${what}, ${servedWords}: GET /api/v1/findings`, shown, '–', '–', '–', '–', '–', '–', 'under 10 ms'].join(' | ')} |`
  } finally {
    await stopServer(server)
  }
}

async function push(peer: Parameters<typeof upload>[0], { layout }: MadeImage): Promise<void> {
  const blobs = join(layout, 'blobs', 'sha256')
  const index = JSON.parse((await bytesOf(join(layout, 'index.json'))).toString('utf8')) as { manifests: { digest: string }[] }
  const manifestHex = index.manifests[0]?.digest.slice('sha256:'.length) ?? ''
  for (const hex of await readdir(blobs)) {
    const path = join(blobs, hex)
    if (hex !== manifestHex) await upload(peer, name, { path, sizeBytes: (await stat(path)).size, digest: `sha256:${hex}` })
  }
  if (!existsSync(join(blobs, manifestHex))) throw new Error(`${layout} has no manifest`)
  await must(peer, 201, 'PUT', `/v2/${name}/manifests/1`, await bytesOf(join(blobs, manifestHex)), manifestType)
}

async function bytesOf(path: string): Promise<Buffer> {
  return await collect(createReadStream(path), 1 << 20, path)
}

/** Throws where there is no verdict within a minute. */
async function judged(peer: Asked): Promise<void> {
  const { body } = await must(peer, 200, 'GET', `/api/v1/verdict?image=${name}:1&wait=60`)
  const { decision } = JSON.parse(body) as { decision?: string }
  if (!['allow', 'warn', 'deny'].includes(decision ?? '')) throw new Error(`${name} is not judged: ${body.slice(0, 300)}`)
}
