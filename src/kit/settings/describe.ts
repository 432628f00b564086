import { catalogue, type SettingPath, settingPaths, variableOf } from './catalogue.ts'
import { valueAt } from './changed.ts'
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
    const value: unknown = path === 'publicUrl' ? publicUrls(settings) : valueAt(settings, path)
    const kind: Kind<unknown> = catalogue[path].kind
    const from = settings.sources.get(path) ?? 'default'
    return { path, variable: variableOf(path), ...(value !== undefined && { value: kind.show(value) }), from }
  })
}

/** In: described settings. Out: a row each: path, value, where it came from. */
export function settingRows(described: DescribedSetting[]): [path: string, value: string, from: string][] {
  return described.map(({ path, value, from }) => [path, shownValue(value), from])
}

function shownValue(value: DescribedSetting['value']): string {
  if (value === undefined) return '-'
  return Array.isArray(value) ? value.join(', ') || '-' : String(value)
}
