import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { ensureDatabase } from '../advisories/ensure.ts'
import { openAdvisories, type OpenAdvisories } from '../advisories/database.ts'
import { currentRevision } from '../advisories/revisions.ts'
import { openImage } from '../inventory/archive.ts'
import { readLayer } from '../inventory/layer.ts'
import { toCycloneDx } from '../inventory/sbom/cyclonedx.ts'
import { judge } from '../judge/judge.ts'
import { policies } from '../judge/policy.ts'
import { LazaretError, messageOf } from '../kit/errors.ts'
import type { Outgoing } from '../kit/outgoing/outgoing.ts'
import { openRemote } from '../mirror/remote.ts'
import type { Credentials } from '../mirror/authorization.ts'
import { digestOf, type Digest } from '../model/digest.ts'
import type { Platform } from '../model/manifest.ts'
import type { Evidence, Verdict } from '../model/verdict.ts'
import { assembleEvidence, type LayerOutcome } from './evidence.ts'

export interface ScanOptions {
  platform: Platform
  /** Where advisories are read: a data folder, or a cache where the bundled ones are laid down. */
  dataFolder: string
  cacheFolder: string
  offline: boolean
  /** The way to other registries, made where one is asked. */
  outgoing: () => Outgoing
  credentialsFor: (registry: string) => Promise<Credentials | undefined>
}

export interface Scanned {
  /** What was scanned, for people. */
  target: string
  evidence: Evidence
  /** Of the advisories that judged it, in days. */
  advisoryAgeDays: number
}

interface Source {
  digest: Digest
  layers: { open(): Readable }[]
  problems: () => string[]
  close(): Promise<void>
}

/**
 * Looks into an image without a server: an archive, an OCI layout, a folder, `-`, or a reference to a registry.
 * Out: its evidence; an image that can't be read has it said in its doubts. Errors: those of opening the target.
 */
export async function scanTarget(target: string, options: ScanOptions): Promise<Scanned> {
  const advisories = await advisoriesFor(options)
  try {
    const source = await openSource(target, options)
    try {
      return { target, evidence: await evidenceOf(source, advisories), advisoryAgeDays: advisories.status().ageDays }
    } finally {
      await source.close()
    }
  } finally {
    advisories.close()
  }
}

/** The verdict of a named policy over what was scanned. */
export function judgeScanned(scanned: Scanned, policy: 'balanced' | 'observe'): Verdict {
  return judge(scanned.evidence, 1, policies[policy], new Date())
}

/** CycloneDX of what was scanned, with its findings. */
export function sbomOf(scanned: Scanned): object {
  return toCycloneDx({ name: scanned.target, ...scanned.evidence })
}

/** Those of the data folder where it has any (read beside a running server), else the bundled ones in the cache. */
async function advisoriesFor(options: ScanOptions): Promise<OpenAdvisories> {
  if (currentRevision(options.dataFolder) !== undefined) return openAdvisories(options.dataFolder)
  await ensureDatabase(options.cacheFolder)
  return openAdvisories(options.cacheFolder)
}

async function openSource(target: string, options: ScanOptions): Promise<Source> {
  if (target === '-' || existsSync(target)) return localSource(target, options.platform)
  if (options.offline) throw new LazaretError('NOT_FOUND', `there is no ${target} here, and this is offline (LAZARET_OFFLINE)`)
  const remote = await openRemote(target, options.credentialsFor, options.platform, options.outgoing())
  return { digest: remote.digest, layers: remote.layers, problems: () => [], close: async () => undefined }
}

async function localSource(path: string, platform: Platform): Promise<Source> {
  const image = await openImage(path)
  const images = image.manifests.filter((manifest) => manifest.role === 'image')
  const fits = images.find(({ platform: its }) => its?.os === platform.os && its.architecture === platform.architecture)
  const chosen = fits ?? images[0] ?? image.manifests[0]
  if (chosen === undefined) {
    await image.close()
    throw new LazaretError('UNREADABLE', `${path} holds no image${image.problems.length === 0 ? '' : `: ${image.problems[0] ?? ''}`}`)
  }
  const digest = chosen.digest ?? digestOf('sha256', createHash('sha256').update(chosen.configBytes).digest('hex'))
  return { digest, layers: chosen.layers, problems: () => image.problems, close: () => image.close() }
}

async function evidenceOf(source: Source, advisories: OpenAdvisories): Promise<Evidence> {
  const layers: LayerOutcome[] = []
  for (const layer of source.layers) layers.push(await outcomeOf(layer))
  const { evidence } = assembleEvidence({ digest: source.digest, kind: 'image', layers, advisories, now: new Date() })
  const problems = source.problems().map((detail) => ({ doubt: 'unreadable' as const, detail }))
  return { ...evidence, doubts: [...evidence.doubts, ...problems] }
}

async function outcomeOf(layer: { open(): Readable }): Promise<LayerOutcome> {
  try {
    return { state: 'layer', facts: await readLayer(layer.open(), { reopen: () => layer.open() }) }
  } catch (error) {
    if (!(error instanceof LazaretError) || (error.code !== 'UNREADABLE' && error.code !== 'LIMIT_EXCEEDED')) throw error
    return { state: 'unreadable', problem: messageOf(error) }
  }
}
