import { severities, type Finding } from '../../model/advisory.ts'
import type { InBase } from '../../model/base.ts'
import type { ImagePackage, PackageVersion } from '../../model/package.ts'
import type { ScannedLayer } from './layers.ts'

/** An installed package that a finding is about, and where it is. */
export interface Place {
  kind: ImagePackage['kind']
  name: string
  version: string
  purl: string
  /** The file that says so, without a leading slash. */
  path: string
  /** Direct dependencies that brought it, `NAME@VERSION`, the nearest first; absent where it is one, or where none is known. */
  through?: string[]
  /** Number of the layer that brought it, its diffID and its instruction, where these are known. */
  layer?: number
  diffId?: string
  createdBy?: string
}

/** `inBase`: whether the base of the image had it already. */
export type PlacedFinding = Finding & { places: Place[]; inBase?: InBase }

/**
 * In: findings, the packages of the image with what advisories call each (null: not judged by itself), and its layers. Out: the
 * findings, gravest first, each with every package that it is about.
 */
export function placeFindings(
  findings: readonly Finding[],
  packages: readonly ImagePackage[],
  subjects: readonly (PackageVersion | null)[],
  layers: readonly ScannedLayer[],
): PlacedFinding[] {
  const byDiffId = new Map(layers.toReversed().flatMap((layer) => (layer.diffId === undefined ? [] : [[layer.diffId, layer] as const])))
  const bySubject = Map.groupBy(
    packages.keys().filter((at) => subjects[at] !== null),
    (at) => keyOf(subjects[at]?.ecosystem ?? '', subjects[at]?.name ?? '', subjects[at]?.version ?? ''),
  )
  return findings
    .map((finding) => {
      const held = bySubject.get(keyOf(finding.ecosystem, finding.packageName, finding.packageVersion)) ?? []
      return { ...finding, places: held.flatMap((at) => placeOf(packages[at], byDiffId)) }
    })
    .toSorted(byGravity)
}

function placeOf(pack: ImagePackage | undefined, layers: ReadonlyMap<string, ScannedLayer>): Place[] {
  if (pack === undefined) return []
  const layer = layers.get(pack.layer)
  const { kind, name, version, purl, location: path, through } = pack
  return [
    {
      kind,
      name,
      version,
      purl,
      path,
      ...(through !== undefined && { through }),
      ...(layer !== undefined && { layer: layer.number }),
      ...(layer?.diffId !== undefined && { diffId: layer.diffId }),
      ...(layer?.createdBy !== undefined && { createdBy: layer.createdBy }),
    },
  ]
}

/** Malicious, then known to be exploited, then by severity; what can be fixed first, then by name. */
function byGravity(a: Finding, b: Finding): number {
  return (
    Number(b.malicious) - Number(a.malicious) ||
    severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
    Number(b.knownExploited) - Number(a.knownExploited) ||
    Number(b.fixedVersion !== undefined) - Number(a.fixedVersion !== undefined) ||
    compareTexts(a.packageName, b.packageName) ||
    compareTexts(a.id, b.id)
  )
}

function keyOf(ecosystem: string, name: string, version: string): string {
  return `${ecosystem}\n${name}\n${version}`
}

/** By character code, so that it is the same everywhere. */
export function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
