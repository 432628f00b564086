// Figures for whoever watches, in the text form of OpenMetrics 1.0 (github.com/prometheus/OpenMetrics, specification).

export interface Definition {
  /** Without `_total`, `_bucket` …; ends with the unit where there is one. */
  name: string
  help: string
  unit?: 'seconds' | 'bytes'
  labels?: readonly string[]
}

export interface Counter {
  /** Series are made when they are first asked for; whoever counts often keeps what comes back. */
  of(...values: string[]): CounterSeries
}

export interface CounterSeries {
  add(amount?: number): void
}

export interface Gauge {
  set(value: number, ...values: string[]): void
  /** These series, and no others any more. */
  replace(entries: readonly (readonly [value: number, ...values: string[]])[]): void
}

export interface Histogram {
  of(...values: string[]): HistogramSeries
}

export interface HistogramSeries {
  observe(value: number): void
}

export interface Metrics {
  counter(definition: Definition): Counter
  gauge(definition: Definition): Gauge
  /** In: upper bounds, rising; `+Inf` is added. */
  histogram(definition: Definition & { bounds: readonly number[] }): Histogram
  /** What never changes, as labels of one series. */
  info(definition: Definition, labels: Readonly<Record<string, string>>): void
  /** Out: every family, ended by `# EOF`. */
  text(): string
}

export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Labels come from closed lists; should one not, what is too much is counted under this word. */
const mostSeries = 1000
const overflow = 'other'

interface Family {
  definition: Definition
  type: 'counter' | 'gauge' | 'histogram' | 'info'
  samples: () => string[]
}

/** Throws TypeError for a name, a label or a unit that OpenMetrics has not, and for a name that is taken. */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>()

  function add(definition: Definition, type: Family['type'], samples: Family['samples']): void {
    requireDefinition(definition)
    if (families.has(definition.name)) throw new TypeError(`${definition.name} is defined twice`)
    families.set(definition.name, { definition, type, samples })
  }

  return {
    counter(definition) {
      const series = seriesOf(definition, () => countFrom0())
      add(definition, 'counter', () =>
        series.map((values, { total }) => [`${definition.name}_total${labelsText(definition, values)} ${numberText(total)}`]),
      )
      return { of: series.of }
    },
    gauge(definition) {
      const series = seriesOf(definition, () => ({ value: 0 }))
      add(definition, 'gauge', () =>
        series.map((values, { value }) => [`${definition.name}${labelsText(definition, values)} ${numberText(value)}`]),
      )
      const set = (value: number, ...values: string[]) => {
        series.of(...values).value = value
      }
      return {
        set,
        replace(entries) {
          series.clear()
          for (const entry of entries) set(...entry)
        },
      }
    },
    histogram(definition) {
      requireRising(definition)
      const series = seriesOf(definition, () => bucketsOf(definition.bounds))
      add(definition, 'histogram', () => series.map((values, buckets) => histogramText(definition, values, buckets)))
      return { of: series.of }
    },
    info(definition, labels) {
      const named = { ...definition, labels: Object.keys(labels) }
      add(named, 'info', () => [`${definition.name}_info${labelsText(named, Object.values(labels))} 1`])
    },
    text: () => `${[...families.values()].flatMap(familyText).join('\n')}\n# EOF\n`,
  }
}

function familyText({ definition: { name, unit, help }, type, samples }: Family): string[] {
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...samples(),
  ]
}

function countFrom0() {
  const count = {
    total: 0,
    add(amount = 1) {
      if (amount >= 0) count.total += amount // a counter never falls
    },
  }
  return count
}

interface Buckets extends HistogramSeries {
  bounds: readonly number[]
  counts: number[]
  sum: number
}

function bucketsOf(bounds: readonly number[]): Buckets {
  const buckets: Buckets = {
    bounds,
    counts: Array<number>(bounds.length + 1).fill(0),
    sum: 0,
    observe(value) {
      let at = 0
      while (at < bounds.length && value > (bounds[at] ?? 0)) at++
      buckets.counts[at] = (buckets.counts[at] ?? 0) + 1
      buckets.sum += value
    },
  }
  return buckets
}

function histogramText(definition: Definition, values: readonly string[], { bounds, counts, sum }: Buckets): string[] {
  const { name, labels = [] } = definition
  const within = { ...definition, labels: [...labels, 'le'] }
  let below = 0
  const lines = counts.map((count, at) => {
    below += count
    const bound = bounds[at]
    return `${name}_bucket${labelsText(within, [...values, bound === undefined ? '+Inf' : boundText(bound)])} ${below}`
  })
  const own = labelsText(definition, values)
  return [...lines, `${name}_count${own} ${below}`, `${name}_sum${own} ${numberText(sum)}`]
}

/** One entry for each set of label values; what passes the bound shares one. */
function seriesOf<T>(definition: Definition, make: () => T) {
  const { labels = [], name } = definition
  const known = new Map<string, { values: readonly string[]; entry: T }>()

  function of(...values: string[]): T {
    if (values.length !== labels.length) throw new TypeError(`${name} has ${labels.length} labels, not ${values.length}`)
    const key = values.join('\0')
    const found = known.get(key)
    if (found !== undefined) return found.entry
    const other = labels.map(() => overflow)
    if (known.size >= mostSeries && key !== other.join('\0')) return of(...other)
    const entry = make()
    known.set(key, { values, entry })
    return entry
  }

  return {
    of,
    clear: () => known.clear(),
    map: (text: (values: readonly string[], entry: T) => string[]) =>
      [...known.values()].flatMap(({ values, entry }) => text(values, entry)),
  }
}

function labelsText({ labels = [] }: Definition, values: readonly string[]): string {
  if (labels.length === 0) return ''
  return `{${labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`).join(',')}}`
}

/** OpenMetrics, "Escaping": the same in labels and in help. A lone surrogate has no UTF-8. */
function escaped(text: string): string {
  return text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** OpenMetrics, "Numbers": a bound is written one way only, with a point. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound)
}

function requireDefinition({ name, unit, labels = [] }: Definition): void {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a metric`)
  if (/_(?:total|bucket|count|sum|created|info)$/.test(name)) throw new TypeError(`${name} ends as a sample of another would`)
  if (unit !== undefined && !name.endsWith(`_${unit}`)) throw new TypeError(`${name} does not end with its unit ${unit}`)
  for (const label of labels)
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) || label === 'le')
      throw new TypeError(`${name} can't have the label ${JSON.stringify(label)}`)
}

function requireRising({ name, bounds }: { name: string; bounds: readonly number[] }): void {
  const rises = bounds.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > (bounds[at - 1] ?? bound)))
  if (bounds.length === 0 || !rises) throw new TypeError(`the bounds of ${name} do not rise`)
}
