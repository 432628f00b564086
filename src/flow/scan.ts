import { ensureDatabase } from '../advisories/ensure.ts'
import type { OpenAdvisories } from '../advisories/database.ts'
import { currentRevision } from '../advisories/revisions.ts'
import { claimedBase, wasInBase, type BaseClaim, type BaseImage } from '../model/base.ts'
import { digestOf, type Digest } from '../model/digest.ts'
import type { Evidence, Verdict } from '../model/verdict.ts'
import type { Assembled } from './evidence.ts'
import { describeConfig, type ImageConfig } from './scan/config.ts'
import { applyIgnores, type IgnoredFinding, type IgnoreRule, type RuleUse } from './scan/ignore/rule.ts'
import { baseLayersOf } from './scan/in-base.ts'
import { judgedOf, openMarked, type MarkedAdvisories } from './scan/judged.ts'
import { openKnown } from './scan/known/known.ts'
import { describeLayers, type ScannedLayer } from './scan/layers.ts'
import { placeFindings, type PlacedFinding } from './scan/places.ts'
import { readImage, type ImageReading, type ScanProgress } from './scan/reading.ts'
import { remediesFor, type Remedy } from './scan/remedies.ts'
import { openSource, type Source, type SourceOptions } from './scan/source.ts'

export interface ScanOptions extends SourceOptions {
  /** Where advisories are read: a data folder, or a cache where the bundled ones are laid down. */
  dataFolder: string
  cacheFolder: string
  /** Where what is known of layers is kept; absent where all is to be read anew. */
  knownFolder?: string
  /** Told what no result says: `trouble` where something is amiss, else what only who looks closer wants to know. */
  say: (text: string, trouble: boolean) => void
  /** What is not to count, and why. */
  ignores?: readonly IgnoreRule[]
  /** A scan's JSON or an SBOM of what was there before: findings that it had too are not new. */
  baseline?: string
  /** What is called the base of the image: a reference, an archive or a layout. */
  base?: string
  /** Whether to keep a mark of every file that a container would see. */
  keepFiles?: boolean
  /** Told as layers are read. */
  onProgress?: (progress: ScanProgress) => void
}

export interface Scanned {
  /** What was scanned, for people. */
  target: string
  /** Of the image as it is: nothing is left out of it. */
  evidence: Evidence
  config: ImageConfig
  layers: ScannedLayer[]
  /** What the image was built on, as far as it was named. */
  base: BaseImage
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
  const marked = await advisoriesFor(options)
  try {
    const source = await openSource(target, options)
    try {
      return await scanSource(target, source, marked, options)
    } finally {
      await source.close()
    }
  } finally {
    marked.advisories.close()
  }
}

/** The verdict of a named policy over what was scanned, as a gate gives it: it knows of no ignore files. */
export async function judgeScanned(scanned: Scanned, policy: 'balanced' | 'observe'): Promise<Verdict> {
  const { judge, policies } = await import('./scan/judge.ts')
  return judge(scanned.evidence, 1, policies[policy], new Date())
}

async function scanSource(target: string, source: Source, marked: MarkedAdvisories, options: ScanOptions): Promise<Scanned> {
  const baseOf = await baseTeller(options)
  const { advisories } = marked
  const { reading, evidence, subjects } = await examine(source, marked, options)
  const layers = describeLayers(
    source.configBytes,
    source.layers.map((layer, at) => ({ ...layer, ...diffIdOf(reading, at) })),
  )
  const config = describeConfig(source.configBytes)
  const base = baseOf(reading, claimedBase(source.annotations ?? {}, config.labels ?? {}))
  const placed = withBase(placeFindings(evidence.findings, evidence.packages, subjects, layers), baseLayersOf(base, layers))
  const { kept, ignored, uses } = applyIgnores(placed, options.ignores ?? [], new Date())
  const isNew = await newnessBy(options.baseline, advisories)
  const problems = source.problems().map((detail) => ({ doubt: 'unreadable' as const, detail }))
  return {
    target,
    evidence: { ...evidence, doubts: [...evidence.doubts, ...problems] },
    config,
    layers,
    base,
    findings: isNew(kept),
    ignored,
    rules: uses,
    remedies: remediesFor(kept, evidence.release, layers.length, base),
    ...(options.keepFiles === true && source.layers.every(({ facts }) => facts === undefined) && { files: await filesOf(reading) }),
    advisoryAgeDays: ageInDays(advisories.date),
  }
}

/** A folder's time and size say nothing; a file is another where its bytes, its mode or its owner are. */
async function filesOf({ facts }: ImageReading): Promise<Map<string, string>> {
  const { visibleFiles } = await import('../inventory/squash/tree.ts')
  const files = new Map<string, string>()
  for (const { file } of visibleFiles(facts ?? []))
    files.set(file.path, [file.type, file.mode, file.uid, file.gid, file.sha256 ?? file.link ?? ''].join(' '))
  return files
}

function ageInDays(date: string): number {
  return Math.max(0, Math.floor((Date.now() - Date.parse(date)) / 86_400_000))
}

/** Those of the data folder where it has any (read beside a running server), else the bundled ones in the cache. */
async function advisoriesFor(options: ScanOptions): Promise<MarkedAdvisories> {
  if (currentRevision(options.dataFolder) !== undefined) return openMarked(options.dataFolder)
  await ensureDatabase(options.cacheFolder)
  return openMarked(options.cacheFolder)
}

interface Examined extends Assembled {
  reading: ImageReading
}

/** Reads and judges it, as far as that was not done before. */
async function examine(source: Source, marked: MarkedAdvisories, options: ScanOptions): Promise<Examined> {
  const { knownFolder, keepFiles, onProgress, say } = options
  const known = knownFolder === undefined ? undefined : openKnown(knownFolder, say)
  try {
    const reading = await readImage(source.layers, { known, wantsFacts: keepFiles === true, onProgress })
    return { reading, ...(await judgedOf(reading, source.digest ?? contentDigest(reading), marked, known)) }
  } finally {
    await known?.close()
  }
}

/** Out: what marks findings that a baseline did not have; without one they go by as they are. */
async function newnessBy(
  baseline: string | undefined,
  advisories: OpenAdvisories,
): Promise<(findings: PlacedFinding[]) => Scanned['findings']> {
  if (baseline === undefined) return (findings) => findings
  const { newFindings, packagesBefore } = await import('./scan/baseline.ts')
  const before = await packagesBefore(baseline, advisories)
  return (findings) => newFindings(findings, before)
}

type TellBase = (reading: ImageReading, claim: BaseClaim | undefined) => BaseImage

/** Out: how to tell the base, once the image's own layers are known. Whoever names none that can be one learns so before they are read. */
async function baseTeller(options: ScanOptions): Promise<TellBase> {
  if (options.base === undefined) return (_, claim) => withClaim({ known: 'unknown' }, claim)
  const { provenBase, readBase } = await import('./scan/base.ts')
  const named = await readBase(options.base, options)
  return ({ layers }, claim) => {
    const own = layers.map(({ diffId }) => diffId)
    return withClaim(provenBase(named, own), claim)
  }
}

function withClaim(base: BaseImage, claim: BaseClaim | undefined): BaseImage {
  return claim === undefined ? base : { ...base, claim }
}

function withBase(findings: PlacedFinding[], baseLayers: ReadonlySet<string> | undefined): PlacedFinding[] {
  return findings.map((finding) => ({
    ...finding,
    inBase: wasInBase(
      finding.places.map(({ diffId }) => diffId),
      baseLayers,
    ),
  }))
}

/** What has no digest by itself is known by its content; what could not be read, by nothing. */
function contentDigest({ layers: [first] }: ImageReading): Digest {
  return first?.diffId ?? digestOf('sha256', '0'.repeat(64))
}

function diffIdOf({ layers }: ImageReading, at: number): { diffId?: Digest } {
  const diffId = layers[at]?.diffId
  return diffId === undefined ? {} : { diffId }
}
