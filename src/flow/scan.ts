import { Readable } from 'node:stream'
import { ensureDatabase } from '../advisories/ensure.ts'
import { openAdvisories, type OpenAdvisories } from '../advisories/database.ts'
import { currentRevision } from '../advisories/revisions.ts'
import { readLayer } from '../inventory/layer.ts'
import { visibleFiles } from '../inventory/squash/tree.ts'
import { judge } from '../judge/judge.ts'
import { policies } from '../judge/policy.ts'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { digestOf, type Digest } from '../model/digest.ts'
import type { Evidence, Verdict } from '../model/verdict.ts'
import { assembleEvidence, type LayerOutcome } from './evidence.ts'
import { newFindings, packagesBefore } from './scan/baseline.ts'
import { describeConfig, type ImageConfig } from './scan/config.ts'
import { applyIgnores, type IgnoredFinding, type IgnoreRule, type RuleUse } from './scan/ignore/rule.ts'
import { describeLayers, type ScannedLayer } from './scan/layers.ts'
import { placeFindings, type PlacedFinding } from './scan/places.ts'
import { remediesFor, type Remedy } from './scan/remedies.ts'
import { openSource, type Source, type SourceLayer, type SourceOptions } from './scan/source.ts'

export interface ScanOptions extends SourceOptions {
  /** Where advisories are read: a data folder, or a cache where the bundled ones are laid down. */
  dataFolder: string
  cacheFolder: string
  /** What is not to count, and why. */
  ignores?: readonly IgnoreRule[]
  /** A scan's JSON or an SBOM of what was there before: findings that it had too are not new. */
  baseline?: string
  /** Whether to keep a mark of every file that a container would see. */
  keepFiles?: boolean
  /** Told as layers are read. */
  onProgress?: (progress: ScanProgress) => void
}

export interface ScanProgress {
  /** The one that is read, from 1, and how many there are. */
  layer: number
  layers: number
  /** Stored bytes so far, and of all layers where that is known. */
  bytes: number
  totalBytes?: number
}

export interface Scanned {
  /** What was scanned, for people. */
  target: string
  /** Of the image as it is: nothing is left out of it. */
  evidence: Evidence
  config: ImageConfig
  layers: ScannedLayer[]
  /** What counts, gravest first; with a baseline each says whether it is new. */
  findings: (PlacedFinding & { isNew?: boolean })[]
  ignored: IgnoredFinding[]
  rules: RuleUse[]
  remedies: Remedy[]
  /** Path → what tells one content from another; only where it was asked for, and there are files. */
  files?: ReadonlyMap<string, string>
  /** Of the advisories that judged it, in days. */
  advisoryAgeDays: number
}

/**
 * Looks into an image without a server: an archive, an OCI layout, a folder, an SBOM, `-`, or a reference to a registry.
 * Out: what it holds and what is wrong with it; an image that can't be read has it said in the doubts of its evidence.
 * Errors: those of opening the target and the baseline.
 */
export async function scanTarget(target: string, options: ScanOptions): Promise<Scanned> {
  const advisories = await advisoriesFor(options)
  try {
    const source = await openSource(target, options)
    try {
      return await scanSource(target, source, advisories, options)
    } finally {
      await source.close()
    }
  } finally {
    advisories.close()
  }
}

/** The verdict of a named policy over what was scanned, as a gate gives it: it knows of no ignore files. */
export function judgeScanned(scanned: Scanned, policy: 'balanced' | 'observe'): Verdict {
  return judge(scanned.evidence, 1, policies[policy], new Date())
}

async function scanSource(target: string, source: Source, advisories: OpenAdvisories, options: ScanOptions): Promise<Scanned> {
  const outcomes = await readLayers(source.layers, options)
  const digest = source.digest ?? contentDigest(outcomes)
  const { evidence, subjects } = assembleEvidence({ digest, kind: 'image', layers: outcomes, advisories, now: new Date() })
  const layers = describeLayers(
    source.configBytes,
    source.layers.map((layer, at) => ({ ...layer, ...diffIdOf(outcomes[at]) })),
  )
  const placed = placeFindings(evidence.findings, evidence.packages, subjects, layers)
  const { kept, ignored, uses } = applyIgnores(placed, options.ignores ?? [], new Date())
  const before = options.baseline === undefined ? undefined : await packagesBefore(options.baseline, advisories)
  const problems = source.problems().map((detail) => ({ doubt: 'unreadable' as const, detail }))
  return {
    target,
    evidence: { ...evidence, doubts: [...evidence.doubts, ...problems] },
    config: describeConfig(source.configBytes),
    layers,
    findings: before === undefined ? kept : newFindings(kept, before),
    ignored,
    rules: uses,
    remedies: remediesFor(kept, evidence.release, layers.length),
    ...(options.keepFiles === true && source.layers.every(({ facts }) => facts === undefined) && { files: filesOf(outcomes) }),
    advisoryAgeDays: advisories.status().ageDays,
  }
}

/** A folder's time and size say nothing; a file is another where its bytes, its mode or its owner are. */
function filesOf(outcomes: readonly LayerOutcome[]): Map<string, string> {
  const layers = outcomes.flatMap((outcome) => (outcome.state === 'layer' ? [outcome.facts] : []))
  const files = new Map<string, string>()
  for (const { file } of visibleFiles(layers))
    files.set(file.path, [file.type, file.mode, file.uid, file.gid, file.sha256 ?? file.link ?? ''].join(' '))
  return files
}

/** Those of the data folder where it has any (read beside a running server), else the bundled ones in the cache. */
async function advisoriesFor(options: ScanOptions): Promise<OpenAdvisories> {
  if (currentRevision(options.dataFolder) !== undefined) return openAdvisories(options.dataFolder)
  await ensureDatabase(options.cacheFolder)
  return openAdvisories(options.cacheFolder)
}

async function readLayers(layers: readonly SourceLayer[], { onProgress }: ScanOptions): Promise<LayerOutcome[]> {
  const sizes = layers.flatMap(({ sizeBytes }) => sizeBytes ?? [])
  const total = sizes.length === layers.length ? { totalBytes: sizes.reduce((sum, size) => sum + size, 0) } : {}
  const outcomes: LayerOutcome[] = []
  let bytes = 0
  for (const [at, layer] of layers.entries()) {
    const tell = (read: number) => onProgress?.({ layer: at + 1, layers: layers.length, bytes: (bytes += read), ...total })
    tell(0)
    outcomes.push(await outcomeOf(layer, () => (onProgress === undefined ? layer.open() : Readable.from(counted(layer.open(), tell)))))
  }
  return outcomes
}

async function* counted(stream: Readable, tell: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    tell(chunk.length)
    yield chunk
  }
}

async function outcomeOf(layer: SourceLayer, open: () => Readable): Promise<LayerOutcome> {
  try {
    return { state: 'layer', facts: layer.facts === undefined ? await readLayer(open(), { reopen: open }) : await layer.facts() }
  } catch (error) {
    if (!(error instanceof LazaretError) || (error.code !== 'UNREADABLE' && error.code !== 'LIMIT_EXCEEDED')) throw error
    return { state: 'unreadable', problem: messageOf(error) }
  }
}

/** What has no digest by itself is known by its content; what could not be read, by nothing. */
function contentDigest([outcome]: readonly LayerOutcome[]): Digest {
  return outcome?.state === 'layer' ? outcome.facts.diffId : digestOf('sha256', '0'.repeat(64))
}

function diffIdOf(outcome: LayerOutcome | undefined) {
  return outcome?.state === 'layer' ? { diffId: outcome.facts.diffId } : {}
}
