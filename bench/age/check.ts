// That an aged store is one: served, its images are there and stand as they should, and what was found in them is found again.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { Readable } from 'node:stream'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { zstdDecompressSync } from 'node:zlib'
import { openAdvisories } from '../../src/advisories/database.ts'
import { assembleEvidence } from '../../src/flow/assemble.ts'
import { unpackFacts } from '../../src/flow/worker/facts.ts'
import { readLayer } from '../../src/inventory/layer.ts'
import type { Digest } from '../../src/model/digest.ts'
import type { Evidence } from '../../src/model/verdict.ts'
import { sha256 } from '../../test/support/content.ts'
import { basic, launcher, lazaretEnvironment, password, startLazaret, stopServer } from '../server.ts'
import type { AgedImage, Year } from './year.ts'

const run = promisify(execFile)
const manifestType = 'application/vnd.oci.image.manifest.v1+json'

/** Throws where something is not as it should be. */
export async function checkAge(folder: string, year: Year, say: (text: string) => void): Promise<void> {
  const server = await startLazaret(folder)
  try {
    await nothingToDo(server.origin)
    const layers = new Map<string, Buffer>()
    for (const image of year.sample) layers.set(image.layerDigest, await checkImage(server.origin, image))
    say(`${year.sample.length} images are served, with their layers, verdicts and pulls`)
    await findAgain(folder, year.sample, layers)
    say('what was found in them is found again')
    await commands(folder, server.origin, say)
  } finally {
    await stopServer(server)
  }
}

async function get(origin: string, path: string, accept?: string): Promise<{ status: number; bytes: Buffer }> {
  const answer = await fetch(`${origin}${path}`, { headers: { authorization: basic, ...(accept === undefined ? {} : { accept }) } })
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
}

async function json<T>(origin: string, path: string): Promise<T> {
  const { status, bytes } = await get(origin, path)
  assert.equal(status, 200, `${path}: ${bytes.toString('utf8')}`)
  return JSON.parse(bytes.toString('utf8')) as T
}

/** What is judged anew at a start was not written as this version judges. */
async function nothingToDo(origin: string): Promise<void> {
  const { counts } = await json<{ counts: Record<string, number> }>(origin, '/api/v1/jobs')
  assert.deepEqual(counts, { waiting: 0, running: 0, failed: 0 })
}

/** Out: its application's layer. */
async function checkImage(origin: string, image: AgedImage): Promise<Buffer> {
  const held = image.decision === 'deny'
  for (const reference of [image.tag, image.digest]) {
    const { status, bytes } = await get(origin, `/v2/${image.repository}/manifests/${reference}`, manifestType)
    assert.equal(status, held ? 403 : 200, `${image.repository}:${reference}: ${bytes.toString('utf8')}`)
    if (!held) assert.equal(sha256(bytes), image.digest)
  }
  const named = encodeURIComponent(`${image.repository}:${image.tag}`)
  const verdict = await json<{ decision: string }>(origin, `/api/v1/verdict?image=${named}`)
  assert.equal(verdict.decision, image.decision)
  const pulls = await json<{ items: unknown[] }>(origin, `/api/v1/pulls?image=${named}`)
  assert.ok(pulls.items.length >= 3)
  const history = await json<{ items: { way: string }[] }>(origin, `/api/v1/tags/history?image=${named}`)
  assert.deepEqual(
    history.items.map(({ way }) => way),
    ['push'],
  )
  const { status, bytes } = await get(origin, `/v2/${image.repository}/blobs/${image.layerDigest}`)
  assert.equal(status, held ? 403 : 200)
  return held ? Buffer.alloc(0) : bytes
}

/** Of a tenth of the sample: the layer is read, and the image is matched, as the worker would. */
async function findAgain(folder: string, sample: AgedImage[], layers: ReadonlyMap<string, Buffer>): Promise<void> {
  const records = new DatabaseSync(join(folder, 'records.sqlite'), { readOnly: true })
  const advisories = openAdvisories(folder)
  const factsOf = (digest: string) => {
    const row = records
      .prepare('select facts from layers l join blob_layers b on b.diff_id = l.diff_id where b.blob_digest = ?')
      .get(digest) as { facts: Uint8Array }
    return unpackFacts(row.facts)
  }
  try {
    for (const image of sample.filter(({ decision }, at) => at % 10 === 0 && decision !== 'deny')) {
      const bytes = layers.get(image.layerDigest) ?? Buffer.alloc(0)
      const read = await readLayer(Readable.from([bytes]), { reopen: () => Readable.from([bytes]) })
      assert.deepEqual(JSON.parse(JSON.stringify(await factsOf(image.layerDigest))), JSON.parse(JSON.stringify(read)))
      const row = records
        .prepare('select e.content as content from evidence e join manifests m on m.id = e.manifest_id where m.digest = ?')
        .get(image.digest) as { content: Uint8Array }
      const stored = JSON.parse(zstdDecompressSync(row.content).toString('utf8')) as Evidence
      const found = assembleEvidence({
        digest: image.digest as Digest,
        kind: 'image',
        config: { state: 'json' },
        layers: [
          { state: 'layer', facts: await factsOf(image.baseDigest) },
          { state: 'layer', facts: read },
        ],
        advisories,
        now: new Date(stored.examinedAt),
      })
      assert.deepEqual(stored, JSON.parse(JSON.stringify(found.evidence)))
    }
  } finally {
    advisories.close()
    records.close()
  }
}

async function commands(folder: string, origin: string, say: (text: string) => void): Promise<void> {
  const env = lazaretEnvironment(folder, { LAZARET_SERVER: origin, LAZARET_USERNAME: 'admin', LAZARET_PASSWORD: password })
  const verified = await run(launcher, ['audit', 'verify'], { env, cwd: folder })
  say(`audit verify: ${verified.stdout.split('\n')[0] ?? ''}`)
  const doctor = await run(launcher, ['doctor'], { env, cwd: folder })
  say(`doctor: ${doctor.stdout.trim().split('\n').at(-1) ?? ''}`)
}
