import type { Scanned } from '../../flow/scan.ts'
import type { ScannedLayer } from '../../flow/scan/layers.ts'
import type { Remedy } from '../../flow/scan/remedies.ts'
import { severities, type Severity } from '../../model/advisory.ts'
import type { Verdict } from '../../model/verdict.ts'
import type { Io } from '../command.ts'
import { baseLines } from '../base-text.ts'
import { harmless, table, wrapped } from '../table.ts'
import { bold, colouredSeverities, hasColours } from './colours.ts'

/** On a terminal; a file or another program gets every row. */
const mostRows = 50
const mostRemedies = 5

type Row = Scanned['findings'][number]

/** In: what was found, the verdict where a policy was named, whether to show every row. Out: text for people, as wide as the terminal. */
export function reportText(scanned: Scanned, verdict: Verdict | undefined, all: boolean, io: Io): string {
  const width = io.columns ?? 80
  const shown = all || io.columns === undefined ? scanned.findings : scanned.findings.slice(0, mostRows)
  const parts = [
    headOf(scanned, width),
    shown.length === 0 ? '' : findingsText(shown, scanned, width),
    moreText(scanned.findings.slice(shown.length)),
    legendText(shown, scanned.layers, width),
    remediesText(scanned.remedies, width, io),
    ignoredText(scanned, width),
    verdict === undefined ? '' : verdictText(verdict),
  ].filter((part) => part !== '')
  const text = parts.join('\n')
  return hasColours(io) ? colouredSeverities(text) : text
}

/** `2 critical, 1 high`, the gravest first. */
export function countsText(counts: Partial<Record<Severity, number>>): string {
  return severities
    .toReversed()
    .flatMap((severity) => (counts[severity] === undefined ? [] : [`${counts[severity]} ${severity}`]))
    .join(', ')
}

export function countsOf(findings: readonly { severity: Severity }[]): Partial<Record<Severity, number>> {
  const counts: Partial<Record<Severity, number>> = {}
  for (const { severity } of findings) counts[severity] = (counts[severity] ?? 0) + 1
  return counts
}

function headOf({ target, evidence, base, findings }: Scanned, width: number): string {
  const release = evidence.release?.prettyName ?? evidence.release?.id ?? 'no distribution'
  const fresh = findings.filter(({ isNew }) => isNew === true).length
  const news = findings.some(({ isNew }) => isNew !== undefined) ? `, ${fresh} of them new` : ''
  const summary = findings.length === 0 ? 'no findings' : `${countsText(countsOf(findings))}${news}`
  const lines = [target, evidence.digest, `${release}, ${counted(evidence.packages.length, 'package')}, ${summary}`]
  const cleared = evidence.cleared?.length ?? 0
  const notes = cleared === 0 ? [] : [`not affected: ${counted(cleared, 'flaw')} that the distribution says its packages do not have`]
  return [...lines, ...baseText(base, findings), ...evidence.doubts.map(({ doubt, detail }) => `${doubt}: ${detail}`), ...notes]
    .map((line) => folded(line, width))
    .join('')
}

function baseText(base: Scanned['base'], findings: readonly Row[]): string[] {
  const known = findings.filter(({ inBase }) => inBase !== undefined && inBase !== 'unknown')
  const had = known.filter(({ inBase }) => inBase === true).length
  return [...baseLines(base), ...(known.length === 0 ? [] : [`The base had ${had} of ${counted(findings.length, 'finding')} already`])]
}

function findingsText(findings: readonly Row[], scanned: Scanned, width: number): string {
  const hasNews = findings.some(({ isNew }) => isNew !== undefined)
  const hasLayers = scanned.layers.length > 1
  const hasBase = scanned.base.layers !== undefined
  const header = [
    'SEVERITY',
    'ID',
    'PACKAGE',
    'VERSION',
    'FIXED IN',
    ...(hasLayers ? ['LAYER'] : []),
    ...(hasBase ? ['IN BASE'] : []),
    ...(hasNews ? ['NEW'] : []),
  ]
  const rows = findings.map((finding) => [
    `${finding.severity}${marksOf(finding)}`,
    finding.id,
    finding.packageName,
    finding.packageVersion,
    finding.fixedVersion ?? finding.word?.replaceAll('-', ' ') ?? '',
    ...(hasLayers ? [layersOf(finding).join(',')] : []),
    ...(hasBase ? [baseWords[`${finding.inBase ?? 'unknown'}`]] : []),
    ...(hasNews ? [finding.isNew === true ? 'yes' : ''] : []),
  ])
  return table(header, rows, width)
}

const baseWords = { true: 'yes', false: '', unknown: '?' } as const

/** From this EPSS on it is said in the table how likely a flaw is to be exploited; the JSON has every one. */
const likely = 0.1

function marksOf({ malicious, knownExploited, state, epss }: Row): string {
  if (malicious || knownExploited) return malicious ? ' malicious' : ' exploited'
  if (state === 'unknown-version') return ' (unsure)'
  return epss !== undefined && epss.probability >= likely ? ` EPSS ${Math.round(epss.probability * 100)}%` : ''
}

function layersOf({ places }: Row): number[] {
  return [...new Set(places.flatMap(({ layer }) => layer ?? []))].toSorted((a, b) => a - b)
}

function moreText(more: readonly Row[]): string {
  return more.length === 0 ? '' : `… and ${more.length} more (${countsText(countsOf(more))}): --all shows them\n`
}

/** What the numbers of layers stand for, for those that the table names. */
function legendText(findings: readonly Row[], layers: readonly ScannedLayer[], width: number): string {
  const named = new Set(findings.flatMap(layersOf))
  const rows = layers
    .filter(({ number }) => named.has(number))
    .map(({ number, diffId, createdBy }) => [String(number), (createdBy ?? diffId?.slice(0, 19) ?? 'unknown').replaceAll(/\s+/g, ' ')])
  if (layers.length < 2 || rows.length === 0) return ''
  return table(
    ['LAYER', 'BROUGHT BY'],
    rows.map(([number = '', by = '']) => [number, cut(by, 2 * (width - 7))]),
    width,
  )
}

function remediesText(remedies: readonly Remedy[], width: number, io: Io): string {
  const useful = remedies.filter(({ fixesMore }) => fixesMore > 0)
  if (useful.length === 0) return ''
  const title = 'To fix the most with the fewest changes:'
  const lines = useful.slice(0, mostRemedies).map((remedy, at) => remedyText(`${at + 1}.`, remedy, width))
  const rest = useful.length > mostRemedies ? [`… and ${useful.length - mostRemedies} more, in --format json\n`] : []
  // What fixes nothing besides the others may still be the easier way.
  const others = remedies
    .filter(({ isBase, fixesMore }) => isBase === true && fixesMore === 0)
    .map((remedy) => remedyText('or', remedy, width))
  return `${hasColours(io) ? bold(title) : title}\n${[...lines, ...rest, ...others].join('')}`
}

function remedyText(mark: string, { what, command, fixes, fixesMore, bySeverity }: Remedy, width: number): string {
  const besides = fixesMore === fixes || fixesMore === 0 ? '' : `, ${fixesMore} besides those above`
  const line = `${mark} ${cut(what, 300)} fixes ${fixes} (${countsText(bySeverity)})${besides}`
  return folded(line, width, '   ') + (command === undefined ? '' : folded(`   $ ${command}`, width, '     '))
}

function ignoredText({ ignored }: Scanned, width: number): string {
  if (ignored.length === 0) return ''
  const byFile = Map.groupBy(ignored, ({ ignoredBy }) => ignoredBy.file)
  return folded(`ignored: ${[...byFile].map(([file, some]) => `${some.length} by ${file}`).join(', ')}`, width)
}

function verdictText({ policy, decision, reasons }: Verdict): string {
  return `policy ${policy}: ${decision}\n${reasons.map(({ rule, message }) => `  ${rule}: ${harmless(message)}\n`).join('')}`
}

/** One line as lines of at most the width, those after the first set in. */
export function folded(line: string, width: number, indent = '  '): string {
  const [first = '', ...rest] = wrapped(harmless(line), width)
  const more = rest.length === 0 ? [] : wrapped(rest.join(' '), width - indent.length)
  return [first, ...more.map((text) => indent + text)].map((text) => `${text}\n`).join('')
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
