// The text form of OpenMetrics 1.0, read as strictly as the specification's ABNF and its rules for families have it.

export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface FamilyRead {
  name: string
  type: string
  unit?: string
  help?: string
  samples: Sample[]
  keys: Set<string>
}

const suffixes: Record<string, readonly string[]> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  info: ['_info'],
}

/** Out: the families by name. Throws with the line where the text is not of the grammar. */
export function readOpenMetrics(text: string): Map<string, FamilyRead> {
  const lines = text.split('\n')
  if (lines.at(-1) !== '' || lines.at(-2) !== '# EOF') throw new Error('it does not end with "# EOF" and a line end')
  const families = new Map<string, FamilyRead>()
  let current: FamilyRead | undefined
  for (const line of lines.slice(0, -2)) {
    if (line.startsWith('#')) current = described(line, families, current)
    else if (current === undefined) throw new Error(`a sample before its family: ${line}`)
    else addSample(sampleOf(line), current, line)
  }
  for (const family of families.values()) if (family.type === 'histogram') requireHistogram(family)
  return families
}

function described(line: string, families: Map<string, FamilyRead>, current: FamilyRead | undefined): FamilyRead {
  const match = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line)
  if (match === null) throw new Error(`no descriptor: ${line}`)
  const [, word = '', name = '', rest = ''] = match
  if (word === 'TYPE') {
    if (families.has(name)) throw new Error(`twice: ${name}`)
    if (suffixes[rest] === undefined) throw new Error(`no type: ${line}`)
    const family = { name, type: rest, samples: [], keys: new Set<string>() }
    families.set(name, family)
    return family
  }
  if (current?.name !== name || current.samples.length > 0) throw new Error(`out of place: ${line}`)
  if (word === 'UNIT' && !name.endsWith(`_${rest}`)) throw new Error(`the name lacks the unit: ${line}`)
  if (word === 'UNIT') current.unit = rest
  else current.help = unescaped(rest, line)
  return current
}

function sampleOf(line: string): Sample {
  const head = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$/s.exec(line)
  if (head === null) throw new Error(`no sample: ${line}`)
  const [, name = '', inner, number = ''] = head
  if (!/^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/.test(number)) throw new Error(`no number: ${line}`)
  return { name, labels: labelsOf(inner ?? '', line), value: Number(number.replace('Inf', 'Infinity')) }
}

function labelsOf(inner: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = inner
  while (rest !== '') {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,(?=.)|$)/.exec(rest)
    if (match === null || Object.hasOwn(labels, match[1] ?? '')) throw new Error(`no labels: ${line}`)
    labels[match[1] ?? ''] = unescaped(match[2] ?? '', line)
    rest = rest.slice(match[0].length)
  }
  return labels
}

function unescaped(text: string, line: string): string {
  if (/(?<!\\)(?:\\\\)*"/.test(text)) throw new Error(`a quotation mark that is not escaped: ${line}`)
  return text.replaceAll(/\\(.?)/gs, (_, letter: string) => {
    if (letter === 'n') return '\n'
    if (letter === '\\' || letter === '"') return letter
    throw new Error(`no such escape: ${line}`)
  })
}

function addSample(sample: Sample, family: FamilyRead, line: string): void {
  const suffix = sample.name.slice(family.name.length)
  if (!sample.name.startsWith(family.name) || suffixes[family.type]?.includes(suffix) !== true)
    throw new Error(`not of ${family.name}: ${line}`)
  const key = JSON.stringify([sample.name, Object.entries(sample.labels).toSorted()])
  if (family.keys.has(key)) throw new Error(`twice: ${line}`)
  if (family.type === 'counter' && !(sample.value >= 0)) throw new Error(`a counter below 0: ${line}`)
  family.keys.add(key)
  family.samples.push(sample)
}

function requireHistogram({ name, samples }: FamilyRead): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _le, ...labels } }) => JSON.stringify(Object.entries(labels).toSorted()))
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map((sample) => Number(sample.labels['le']?.replace('Inf', 'Infinity')))
    const rises = bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] ?? bound))
    const grows = buckets.every(({ value }, at) => at === 0 || value >= (buckets[at - 1]?.value ?? value))
    const count = group.find((sample) => sample.name === `${name}_count`)?.value
    if (!rises || !grows || bounds.at(-1) !== Infinity || buckets.at(-1)?.value !== count)
      throw new Error(`no histogram: ${name} ${labels}`)
    if (buckets.some(({ labels: { le = '' } }) => le !== '+Inf' && !/[.e]/.test(le))) throw new Error(`a bound without a point: ${name}`)
  }
}
