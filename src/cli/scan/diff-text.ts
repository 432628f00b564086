import type { ImageDiff } from '../../flow/scan/diff.ts'
import type { Io } from '../command.ts'
import { table } from '../table.ts'
import { counted, folded } from './report.ts'

const mostPaths = 20

/** In: what two images have otherwise. Out: text for people: `+` is in B alone, `-` in A alone, `~` is in both and differs. */
export function diffText(diff: ImageDiff, io: Io): string {
  const width = io.columns ?? 80
  const { from, to, layers } = diff
  const head = [
    `A ${from.target} ${from.digest}`,
    `B ${to.target} ${to.digest}`,
    `the lowest ${layers.same} of ${layers.from} and ${counted(layers.to, 'layer')} are the same`,
  ]
  const parts = [packagesText(diff, width), findingsText(diff, width), filesText(diff, width), configText(diff, width)]
  const said = parts.filter((part) => part !== '')
  return `${head.map((line) => folded(line, width)).join('')}\n${said.length === 0 ? 'Nothing else differs.\n' : said.join('\n')}`
}

function packagesText({ packages: { added, removed, changed } }: ImageDiff, width: number): string {
  const rows = [
    ...added.map(({ kind, name, versions }) => ['+', name, kind, '', versions.join(', ')]),
    ...removed.map(({ kind, name, versions }) => ['-', name, kind, versions.join(', '), '']),
    ...changed.map(({ from, to }) => ['~', to.name, to.kind, from.versions.join(', '), to.versions.join(', ')]),
  ]
  return rows.length === 0 ? '' : table(['', 'PACKAGE', 'KIND', 'A', 'B'], rows, width)
}

function findingsText({ findings: { added, removed, changed } }: ImageDiff, width: number): string {
  const rows = [
    ...added.map((finding) => ['+', finding] as const),
    ...removed.map((finding) => ['-', finding] as const),
    ...changed.map(({ to }) => ['~', to] as const),
  ].map(([mark, { severity, id, packageName, packageVersion, fixedVersion }]) => [
    mark,
    severity,
    id,
    packageName,
    packageVersion,
    fixedVersion ?? '',
  ])
  return rows.length === 0 ? '' : table(['', 'SEVERITY', 'ID', 'PACKAGE', 'VERSION', 'FIXED IN'], rows, width)
}

function filesText({ files }: ImageDiff, width: number): string {
  if (files === undefined) return ''
  const { total } = files
  if (total.added + total.removed + total.changed === 0) return ''
  const lines = [
    ...files.added.map((path) => `+ /${path}`),
    ...files.removed.map((path) => `- /${path}`),
    ...files.changed.map(({ to }) => `~ /${to}`),
  ]
  const title = `FILES: ${total.added} added, ${total.removed} removed, ${total.changed} changed`
  const rest = lines.length > mostPaths ? ['… the others are in --format json'] : []
  return [title, ...lines.slice(0, mostPaths), ...rest].map((line) => folded(line, width)).join('')
}

function configText({ config }: ImageDiff, width: number): string {
  if (config === undefined || config.length === 0) return ''
  const text = (value: unknown) => (value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 300)
  return table(
    ['CONFIG', 'A', 'B'],
    config.map(({ field, from, to }) => [field, text(from), text(to)]),
    width,
  )
}
