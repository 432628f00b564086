import { catalogue, type SettingPath, settingPaths, variableOf } from './catalogue.ts'
import type { Kind } from './kinds.ts'
import { publicUrls, type Settings } from './shape.ts'

export interface DescribedSetting {
  path: SettingPath
  variable: string
  /** What is in force, secrets masked; absent where unset. */
  value?: string | number | boolean | string[]
  /** `default`, `lazaret.yaml:3`, the variable's name, or the flag. */
  from: string
}

/** In: settings. Out: one entry per setting, in the catalogue's order, fit to be printed as JSON: no secret is in it. */
export function describeSettings(settings: Settings): DescribedSetting[] {
  return settingPaths.map((path) => {
    const value = valueAt(settings, path)
    const kind: Kind<unknown> = catalogue[path].kind
    const from = settings.sources.get(path) ?? 'default'
    return { path, variable: variableOf(path), ...(value !== undefined && { value: kind.show(value) }), from }
  })
}

/** In: described settings. Out: the same as a table of text, a line each, ended by a line end. */
export function settingsTable(described: DescribedSetting[]): string {
  const rows = described.map(({ path, value, from }) => [path, shownValue(value), from] as const)
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length))
  const [first, second] = [width(0), width(1)]
  return rows.map(([path, value, from]) => `${path.padEnd(first)}  ${value.padEnd(second)}  ${from}\n`).join('')
}

function valueAt(settings: Settings, path: SettingPath): unknown {
  if (path === 'publicUrl') return publicUrls(settings)
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], settings)
}

function shownValue(value: DescribedSetting['value']): string {
  if (value === undefined) return '-'
  return Array.isArray(value) ? value.join(', ') || '-' : String(value)
}
