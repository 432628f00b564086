import { zstdCompressSync } from 'node:zlib'
import type { ChangeSet } from '../../advisories/changes.ts'
import { policies, type Policy } from '../../judge/policy.ts'
import type { Digest } from '../../model/digest.ts'
import type { Finding } from '../../model/advisory.ts'
import type { PackageVersion } from '../../model/package.ts'
import type { Evidence, Verdict } from '../../model/verdict.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { openWorld, pushManifest, type Json, type Pushed, type World } from '../../store/suites/world.ts'
import { createVerdictWaiters, getVerdict, type VerdictWaiters } from '../../store/verdicts.ts'
import { decodeEvidence } from '../evidence-form.ts'
import { createExaminations, type Examinations } from '../examinations.ts'
import { createInventories, type Inventories } from '../inventories.ts'
import { judgeEverywhere, type Judged, type Place } from '../judging/judging.ts'
import { putEvidence, readEvidence } from '../kept-evidence.ts'
import type { Examined, LayerInput, RematchedImage } from '../worker/protocol.ts'
import type { WorkerPool } from '../worker/pool.ts'

/** The flow over the store, with a worker that the test writes: a layer's text says how it turns out. */
export interface FlowWorld extends World {
  inventories: Inventories
  examinations: Examinations
  waiters: VerdictWaiters
  /** What is in force; a test may move it. */
  force: Force
  /** What the worker was asked: `inventory TEXT`, `examine DIGEST`, `rematch DIGEST`. */
  asked: string[]
  /** Set: every task of the worker fails with it. */
  broken: { problem?: string }
  /** The same over other extractors, or another policy. */
  with(changed: { extractors?: string; policy?: Policy }): { inventories: Inventories; examinations: Examinations }
}

export interface Force {
  advisories: string
  policy: Policy
  /** What came since any revision; where nothing is given nobody can tell. */
  changes?: ChangeSet
  /** Names of packages that are matched anew and have a flaw. */
  flawed?: string[]
  /** Called when the worker has been asked to match anew, before it answers. */
  onRematch?: () => void
}

export async function openFlow(stack: AsyncDisposableStack, open: OpenRecords): Promise<FlowWorld> {
  const world = await openWorld(stack, open)
  const force: Force = { advisories: 'advisories-1', policy: policies.balanced }
  const asked: string[] = []
  const broken: { problem?: string } = {}
  const waiters = createVerdictWaiters()
  const workers = scripted(world, force, asked, broken)
  const now = () => world.clock.now
  const made = (extractorRevision: string, policy: Policy) => {
    const inventories = createInventories({ records: world.records, blobs: world.blobs, workers, extractorRevision, now })
    const advisoryRevision = () => force.advisories
    const examinations = createExaminations({
      records: world.records,
      inventories,
      workers,
      waiters,
      policy,
      extractorRevision,
      advisoryRevision,
      changesSince: () => force.changes ?? 'all',
      inUseDays: 30,
      now,
    })
    return { inventories, examinations }
  }
  return {
    ...world,
    ...made('extractors-1', force.policy),
    waiters,
    force,
    asked,
    broken,
    with: ({ extractors, policy }) => made(extractors ?? 'extractors-1', policy ?? force.policy),
  }
}

/**
 * A layer that begins with `json`, `other` or `bomb` is JSON, no archive, or past the limits; any other is a layer, and each of its
 * lines a package: `NAME VERSION [FLAW]`.
 */
function scripted(world: World, force: Force, asked: string[], broken: { problem?: string }): WorkerPool {
  const text = async (key: string) => Buffer.concat((await (await world.objects.read(key)).toArray()) as Buffer[]).toString()
  const work = (what: string) => {
    asked.push(what)
    if (broken.problem !== undefined) throw new Error(broken.problem)
  }
  return {
    start: () => undefined,
    state: () => ({ ended: 0, tasks: 0 }),
    close: () => undefined,
    async inventory({ objectKey }) {
      const content = await text(objectKey)
      work(`inventory ${content}`)
      if (content.startsWith('{') || content.startsWith('json')) return { state: 'json' }
      if (content.startsWith('other')) return { state: 'unreadable', problem: 'no archive' }
      if (content.startsWith('bomb')) return { state: 'unexamined', problem: 'past the limits' }
      return {
        state: 'layer',
        diffId: `sha256:${Buffer.from(content).toString('hex').padEnd(64, '0').slice(0, 64)}` as Digest,
        sizeBytes: 1,
        facts: Buffer.from(content),
      }
    },
    compare: async ({ subjects }) => ({ revision: force.advisories, moved: [...subjects.keys()] }),
    async rematch({ images }) {
      const revision = force.advisories
      const known = images.map((image) => decodeEvidence(image.evidence))
      for (const { digest } of known) work(`rematch ${digest}`)
      force.onRematch?.()
      return { revision, images: known.map((before) => rematchedOf(before, revision, force.flawed)) }
    },
    async examine({ digest, kind, layers }) {
      work(`examine ${digest}`)
      return examinedOf(digest, kind, layers, force.advisories, world.clock.now)
    },
  }
}

function examinedOf(digest: Digest, kind: Judged['kind'], layers: LayerInput[], advisoryRevision: string, now: number): Examined {
  const lines = layers.flatMap((layer) => (layer.state === 'layer' ? Buffer.from(layer.facts).toString().split('\n') : []))
  const found = lines.map((line) => line.split(' ')).filter(([, version]) => version !== undefined)
  const subjects = found.map(([name = '', version = '']): PackageVersion => ({ ecosystem: 'Debian:12', name, version }))
  const findings = found.flatMap(([name = '', version = '', flaw]) =>
    flaw === undefined ? [] : [finding(name, version, `${flaw}-${advisoryRevision}`)],
  )
  const parsed: Evidence = {
    ...evidence(digest, kind),
    packages: subjects.map(({ name, version }) => ({
      kind: 'deb',
      name,
      version,
      purl: `pkg:deb/debian/${name}@${version}`,
      location: 'var/lib/dpkg/status',
      layer: 'l',
    })),
    findings,
    doubts: layers.flatMap((layer) => (layer.state === 'unexamined' ? [{ doubt: 'unreadable' as const, detail: layer.problem }] : [])),
    ...(layers.length > 0 && layers.every((layer) => layer.state === 'json') ? { allJson: true } : {}),
    advisoryRevision,
    advisoryDate: new Date(now).toISOString(),
  }
  return { evidence: zstdCompressSync(JSON.stringify(parsed)), parsed, subjects }
}

function rematchedOf(before: Evidence, advisoryRevision: string, flawed: readonly string[] | undefined): RematchedImage {
  if (flawed === undefined) return { state: 'whole' }
  const found = before.packages.filter(({ name }) => flawed.includes(name))
  const findings = found.map(({ name, version }) => finding(name, version, 'CVE-2027-9'))
  if (JSON.stringify(findings) === JSON.stringify(before.findings)) return { state: 'same' }
  const judged = { ...before, findings, advisoryRevision }
  const subjects = before.packages.map(({ name, version }) => ({ ecosystem: 'Debian:12', name, version }))
  return { state: 'moved', evidence: zstdCompressSync(JSON.stringify(judged)), judged, subjects }
}

export function finding(packageName: string, packageVersion: string, id = 'CVE-2026-1'): Finding {
  return {
    id,
    ids: [id],
    ecosystem: 'Debian:12',
    packageName,
    packageVersion,
    severity: 'critical',
    fixedVersion: '9',
    knownExploited: false,
    malicious: false,
    sources: [],
    state: 'affected',
  }
}

export function evidence(digest: Digest, kind: Judged['kind'] = 'image', findings: Finding[] = []): Evidence {
  return {
    digest,
    kind,
    packages: [],
    findings,
    doubts: [],
    advisoryRevision: 'advisories-1',
    advisoryDate: '2027-01-15T00:00:00Z',
    examinedAt: '2027-01-15T00:00:00Z',
  }
}

export async function judgedOf(world: World, pushed: Pushed): Promise<Judged> {
  return world.records.read
    .selectFrom('manifests')
    .select(['id', 'digest', 'kind'])
    .where('digest', '=', pushed.digest)
    .$castTo<Judged>()
    .executeTakeFirstOrThrow()
}

/** Keeps that evidence and judges by it, as an examination does. */
export async function keepAndJudge(world: World, pushed: Pushed, given: Partial<Evidence>, policy = policies.balanced): Promise<Place[]> {
  const manifest = await judgedOf(world, pushed)
  const parsed = { ...evidence(pushed.digest, manifest.kind), ...given }
  return world.records.write(async (tx) => {
    await putEvidence(
      tx,
      manifest.id,
      { evidence: zstdCompressSync(JSON.stringify(parsed)), parsed, subjects: [] },
      'extractors-1',
      world.clock.now,
    )
    return judgeEverywhere(tx, manifest, (id) => readEvidence(tx, id), policy, new Date(world.clock.now))
  })
}

export async function judgeAlone(world: World, pushed: Pushed, policy = policies.balanced): Promise<Place[]> {
  const manifest = await judgedOf(world, pushed)
  return world.records.write((tx) => judgeEverywhere(tx, manifest, (id) => readEvidence(tx, id), policy, new Date(world.clock.now)))
}

export async function verdictOf(world: World, pushed: Pushed): Promise<Verdict | undefined> {
  return getVerdict(world.records, pushed.repositoryId, (await judgedOf(world, pushed)).id)
}

export async function decision(world: World, pushed: Pushed): Promise<string> {
  return (await verdictOf(world, pushed))?.decision ?? 'none'
}

export function pushJson(world: World, name: string, given: { json: Json; blobs: string[] }): Promise<Pushed> {
  return pushManifest(world, name, given.json, { blobs: given.blobs })
}
