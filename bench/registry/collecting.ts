// A collection, while eight clients push and pull.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { basic, startLazaret, stopServer } from '../server.ts'
import { ask, must, pushImage, smallImage, type Asked, type SmallImage } from './client.ts'
import { makeCollectable, type Collectable } from './collectable.ts'
import { quantile } from './load.ts'
import { grantAll, type Peer } from './peers.ts'

export interface Collecting {
  blobs: number
  dead: number
  freed: { links: number; blobs: number; objects: number }
  seconds: number
  pushesIdle: number[]
  pushesMeanwhile: number[]
}

const clients = 8
const idleMs = 10_000
const imageBytes = 16 * 1024

interface Run {
  id: number
  state: string
  problem?: string
  freed: { links: number; blobs: number; objects: number }
}

/** In: an empty folder. Out: how it went. Throws where a blob in use went, a dead one stayed, or a client was refused. */
export async function collectWhileServing(data: string, count: number): Promise<Collecting> {
  const made = await makeCollectable(data, count)
  const settings = { LAZARET_GC_GRACE_SECONDS: '86400', LAZARET_GC_INTERVAL_SECONDS: '0', LAZARET_SCRUB_BYTES_PER_SECOND: '0' }
  const server = await startLazaret(data, settings)
  const peer: Peer = { name: 'Lazaret', server, origin: server.origin, authorization: basic }
  try {
    await grantAll(peer)
    const pushed = new Map<string, SmallImage>()
    const idle = await underLoad(peer, made, pushed, 'idle', () => new Promise((resolve) => setTimeout(resolve, idleMs)))
    const began = performance.now()
    let run: Run | undefined
    const meanwhile = await underLoad(peer, made, pushed, 'meanwhile', async () => {
      run = await collection(peer)
    })
    const seconds = (performance.now() - began) / 1000
    if (run === undefined) throw new Error('there was no collection')
    await requireWhole(peer, data, made, pushed)
    const { freed } = run
    return {
      blobs: made.live.length + made.deadKeys.length,
      dead: made.deadKeys.length,
      freed,
      seconds,
      pushesIdle: idle,
      pushesMeanwhile: meanwhile,
    }
  } finally {
    await stopServer(server)
  }
}

async function collection(peer: Asked): Promise<Run> {
  let run = JSON.parse((await must(peer, 200, 'POST', '/api/v1/gc?wait=0')).body) as Run
  while (run.state === 'running') {
    const { items } = JSON.parse((await must(peer, 200, 'GET', `/api/v1/gc?id=${run.id}&wait=20`)).body) as { items: Run[] }
    run = items[0] ?? run
  }
  if (run.state !== 'ended') throw new Error(`the collection is ${run.state}: ${run.problem ?? ''}`)
  return run
}

/** Each client pushes an image, and pulls it and a blob that was there before. Out: the milliseconds of each push. */
async function underLoad(
  peer: Asked,
  made: Collectable,
  pushed: Map<string, SmallImage>,
  name: string,
  until: () => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = []
  let ended = false
  const client = async (_: unknown, nth: number) => {
    for (let at = 0; !ended; at++) {
      const [repository, tag, image] = [`bench/${name}-${nth}`, `t${at}`, smallImage(imageBytes)]
      const began = performance.now()
      await pushImage(peer, repository, tag, image)
      times.push(performance.now() - began)
      pushed.set(`/v2/${repository}/manifests/${tag}`, image)
      await must(peer, 200, 'GET', `/v2/${repository}/blobs/${image.layerDigest}`)
      const known = made.live[Math.floor(Math.random() * made.live.length)]
      if (known !== undefined) await must(peer, 200, 'GET', `/v2/${known.repository}/blobs/${known.digest}`)
    }
  }
  const loads = Promise.all(Array.from({ length: clients }, client))
  try {
    await Promise.race([until(), loads])
  } finally {
    ended = true
  }
  await loads
  return times
}

/** Every file of the store is looked at, and every image that was pushed is pulled. */
async function requireWhole(peer: Asked, data: string, made: Collectable, pushed: ReadonlyMap<string, SmallImage>): Promise<void> {
  const folder = join(data, 'blobs')
  const there = new Set(readdirSync(folder).flatMap((one) => readdirSync(join(folder, one))))
  const lost = made.live.filter(({ key }) => !there.has(key))
  if (lost.length > 0) throw new Error(`${lost.length} blobs in use were removed, such as ${lost[0]?.digest}`)
  const stayed = made.deadKeys.filter((key) => there.has(key))
  if (stayed.length > 0) throw new Error(`${stayed.length} dead blobs are still there`)
  for (const [path, image] of pushed) {
    const answer = await ask(peer, 'GET', path)
    if (answer.body !== image.manifest.toString('utf8')) throw new Error(`${path}: ${answer.status}, and not what was pushed`)
  }
}

export function p99(times: readonly number[]): number {
  return quantile(times, 0.99)
}
