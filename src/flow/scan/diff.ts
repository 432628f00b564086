import type { Scanned } from '../scan.ts'
import type { ImageConfig } from './config.ts'
import { compareTexts, type PlacedFinding } from './places.ts'

export interface Change<T> {
  added: T[]
  removed: T[]
  changed: { from: T; to: T }[]
}

export interface PackageVersions {
  kind: string
  name: string
  versions: string[]
}

export interface ImageDiff {
  from: { target: string; digest: string }
  to: { target: string; digest: string }
  layers: { from: number; to: number; same: number }
  packages: Change<PackageVersions>
  /** By what is known today of both. */
  findings: Change<PlacedFinding>
  /** Absent where one of them is an SBOM, which tells of neither. */
  files?: Change<string> & { total: { added: number; removed: number; changed: number } }
  config?: { field: string; from?: unknown; to?: unknown }[]
}

/** Paths that are listed of each sort; the numbers count all. */
const mostPaths = 10_000

/** In: two images, scanned with the same advisories, with their files. Out: what the second has otherwise. */
export function diffOf(from: Scanned, to: Scanned): ImageDiff {
  const files = from.files === undefined || to.files === undefined ? undefined : filesDiff(from.files, to.files)
  return {
    from: { target: from.target, digest: from.evidence.digest },
    to: { target: to.target, digest: to.evidence.digest },
    layers: { from: from.layers.length, to: to.layers.length, same: commonLayers(from, to) },
    packages: packagesDiff(from, to),
    findings: findingsDiff(from.findings, to.findings),
    ...(files !== undefined && { files, config: configDiff(from.config, to.config) }),
  }
}

function commonLayers(a: Scanned, b: Scanned): number {
  const at = a.layers.findIndex(({ diffId }, index) => diffId === undefined || b.layers[index]?.diffId !== diffId)
  return at < 0 ? a.layers.length : at
}

function packagesDiff(from: Scanned, to: Scanned): Change<PackageVersions> {
  return changeOf(versionsOf(from), versionsOf(to), (a, b) => a.versions.join('\n') === b.versions.join('\n'))
}

function versionsOf({ evidence }: Scanned): Map<string, PackageVersions> {
  const groups = Map.groupBy(evidence.packages, ({ kind, name }) => `${kind}\n${name}`)
  return new Map(
    [...groups]
      .toSorted(([a], [b]) => compareTexts(a, b))
      .map(([key, same]) => {
        const [kind = '', name = ''] = key.split('\n')
        return [key, { kind, name, versions: [...new Set(same.map(({ version }) => version))].toSorted(compareTexts) }] as const
      }),
  )
}

/** The same flaw in the same package, by any of its ids, is one; it has changed where its package has another version. */
function findingsDiff(from: readonly PlacedFinding[], to: readonly PlacedFinding[]): Change<PlacedFinding> {
  const byKey = new Map(from.flatMap((finding) => keysOf(finding).map((key) => [key, finding] as const)))
  const left = new Set(from)
  const change: Change<PlacedFinding> = { added: [], removed: [], changed: [] }
  for (const finding of to) {
    const same = keysOf(finding).flatMap((key) => byKey.get(key) ?? [])[0]
    if (same === undefined) change.added.push(finding)
    else if (same.packageVersion !== finding.packageVersion) change.changed.push({ from: same, to: finding })
    if (same !== undefined) left.delete(same)
  }
  const known = new Set(to.flatMap(keysOf))
  change.removed.push(...[...left].filter((finding) => !keysOf(finding).some((key) => known.has(key))))
  return change
}

function keysOf({ ids, ecosystem, packageName }: PlacedFinding): string[] {
  return ids.map((id) => `${ecosystem}\n${packageName}\n${id}`)
}

function filesDiff(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): NonNullable<ImageDiff['files']> {
  const added = [...to.keys()].filter((path) => !from.has(path)).toSorted(compareTexts)
  const removed = [...from.keys()].filter((path) => !to.has(path)).toSorted(compareTexts)
  const changed = [...to].flatMap(([path, mark]) => (from.has(path) && from.get(path) !== mark ? [path] : [])).toSorted(compareTexts)
  return {
    added: added.slice(0, mostPaths),
    removed: removed.slice(0, mostPaths),
    changed: changed.slice(0, mostPaths).map((path) => ({ from: path, to: path })),
    total: { added: added.length, removed: removed.length, changed: changed.length },
  }
}

function configDiff(from: ImageConfig, to: ImageConfig): NonNullable<ImageDiff['config']> {
  const fields = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted(compareTexts) as (keyof ImageConfig)[]
  return fields
    .filter((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field]))
    .map((field) => ({
      field,
      ...(from[field] !== undefined && { from: from[field] }),
      ...(to[field] !== undefined && { to: to[field] }),
    }))
}

function changeOf<T>(from: ReadonlyMap<string, T>, to: ReadonlyMap<string, T>, isSame: (a: T, b: T) => boolean): Change<T> {
  const change: Change<T> = { added: [], removed: [], changed: [] }
  for (const [key, value] of to) {
    const before = from.get(key)
    if (before === undefined) change.added.push(value)
    else if (!isSame(before, value)) change.changed.push({ from: before, to: value })
  }
  for (const [key, value] of from) if (!to.has(key)) change.removed.push(value)
  return change
}
