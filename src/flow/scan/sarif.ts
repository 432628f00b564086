import { createHash } from 'node:crypto'
import { severities, type Severity } from '../../model/advisory.ts'
import type { BaseImage } from '../../model/base.ts'
import { isTold } from './in-base.ts'
import type { IgnoredFinding } from './ignore/rule.ts'
import type { Place, PlacedFinding } from './places.ts'

export interface SarifInput {
  target: string
  version: string
  findings: readonly (PlacedFinding & { isNew?: boolean })[]
  ignored: readonly IgnoredFinding[]
  base?: BaseImage
}

/** GitHub takes no more of a run, and drops what is past it. */
const mostResults = 25_000
/** Where a record has no score: the middle of its word's range, CVSS 3.1, "Qualitative Severity Rating Scale". */
const scores: Record<Severity, number> = { unknown: 0, none: 0, low: 2, medium: 5.5, high: 8, critical: 9.5 }

/**
 * In: what was found. Out: a SARIF 2.1.0 log of one run: a rule a flaw, a result a flaw and package, with the file in the image and
 * the layer; what an ignore file took out is there as suppressed. docs.oasis-open.org/sarif/sarif/v2.1.0.
 */
export function sarifOf({ target, version, findings, ignored, base }: SarifInput): object {
  const all = [...findings, ...ignored].slice(0, mostResults)
  const rules = [...Map.groupBy(all, ({ id }) => id).values()]
  const indexes = new Map(rules.map((same, at) => [same[0]?.id ?? '', at]))
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'lazaret', version, semanticVersion: version, rules: rules.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { ROOT: { description: { text: `The root of ${target}` } } },
        results: all.map((finding) => resultOf(finding, indexes.get(finding.id) ?? -1, target)),
        properties: {
          target,
          dropped: findings.length + ignored.length - all.length,
          ...(base !== undefined && isTold(base) && { base }),
        },
      },
    ],
  }
}

function ruleOf(same: PlacedFinding[]): object {
  const [first] = same as [PlacedFinding]
  const worst = same.reduce((a, b) => (scoreOf(b) > scoreOf(a) ? b : a))
  return {
    id: first.id,
    shortDescription: { text: `${first.id} in ${[...new Set(same.map(({ packageName }) => packageName))].slice(0, 20).join(', ')}` },
    help: {
      text: remedyText(first),
      ...(first.ids.length > 1 && { markdown: `${remedyText(first)}\n\nAlso: ${first.ids.slice(1, 50).join(', ')}` }),
    },
    ...helpUri(first.id),
    defaultConfiguration: { level: levelOf(worst) },
    properties: {
      'security-severity': scoreOf(worst).toFixed(1),
      tags: [
        'security',
        'vulnerability',
        worst.severity,
        ...(worst.malicious ? ['malicious'] : []),
        ...(worst.knownExploited ? ['exploited'] : []),
      ],
    },
  }
}

function helpUri(id: string): { helpUri?: string } {
  return /^[A-Za-z][\w.:-]{3,80}$/.test(id) ? { helpUri: `https://osv.dev/vulnerability/${encodeURIComponent(id)}` } : {}
}

function resultOf(
  finding: PlacedFinding & { isNew?: boolean; ignoredBy?: IgnoredFinding['ignoredBy'] },
  ruleIndex: number,
  target: string,
): object {
  const { id, packageName, packageVersion, isNew, inBase, ignoredBy } = finding
  return {
    ruleId: id,
    ruleIndex,
    level: levelOf(finding),
    message: {
      text: `${id}: ${packageName} ${packageVersion} is ${finding.state === 'affected' ? 'affected' : 'perhaps affected'}. ${remedyText(finding)}`,
    },
    locations: finding.places.slice(0, 100).map(locationOf),
    // The same flaw in the same package is the same result, in whatever build of the image.
    partialFingerprints: {
      'lazaret/v1': createHash('sha256')
        .update([target.replace(/[@:][^/]*$/, ''), id, packageName, finding.ecosystem].join('\n'))
        .digest('hex'),
    },
    ...(isNew !== undefined && { baselineState: isNew ? 'new' : 'unchanged' }),
    ...(inBase !== undefined && inBase !== 'unknown' && { properties: { inBase } }),
    ...(ignoredBy !== undefined && {
      suppressions: [
        { kind: 'external', status: 'accepted', justification: `${ignoredBy.reason ?? 'no reason given'} (${ignoredBy.file})` },
      ],
    }),
  }
}

function locationOf({ path, purl, layer, diffId, createdBy }: Place): object {
  return {
    physicalLocation: {
      artifactLocation: { uri: path.toWellFormed().split('/').map(encodeURIComponent).join('/'), uriBaseId: 'ROOT' },
      region: { startLine: 1 },
    },
    logicalLocations: [{ fullyQualifiedName: purl, kind: 'package' }],
    ...(layer !== undefined && { message: { text: `layer ${layer}${createdBy === undefined ? '' : `: ${createdBy.slice(0, 300)}`}` } }),
    ...(diffId !== undefined && { properties: { layer, diffId } }),
  }
}

function remedyText({ packageName, fixedVersion }: PlacedFinding): string {
  return fixedVersion === undefined ? 'No fix is known.' : `Fixed in ${packageName} ${fixedVersion}.`
}

function scoreOf({ score, severity, malicious }: PlacedFinding): number {
  return malicious ? 10 : (score ?? scores[severity])
}

function levelOf({ severity, malicious }: PlacedFinding): 'error' | 'warning' | 'note' {
  if (malicious || severities.indexOf(severity) >= severities.indexOf('high')) return 'error'
  return severity === 'medium' || severity === 'unknown' ? 'warning' : 'note'
}
