import { type SettingPath, settingPaths } from './catalogue.ts'
import type { Settings } from './shape.ts'

/** What takes effect while it serves: by `alive` of two settings nothing has to be opened, bound or judged anew. */
const alivePaths: ReadonlySet<SettingPath> = new Set([
  'log',
  'public',
  'repositories',
  'limits.uploadsPerMinute',
  'limits.uploadsPerMinutePerAddress',
])

/** In: settings in force, and others. Out: the paths whose values differ: those that can change while it serves, and the rest. */
export function changedSettings(before: Settings, after: Settings): { alive: SettingPath[]; later: SettingPath[] } {
  const changed = settingPaths.filter((path) => JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path)))
  return { alive: changed.filter((path) => alivePaths.has(path)), later: changed.filter((path) => !alivePaths.has(path)) }
}

/** Brings into force what can change while it serves. */
export function takeAlive(inForce: Settings, { log, public: open, repositories, limits, configFile, sources }: Settings): void {
  const { uploadsPerMinute, uploadsPerMinutePerAddress } = limits
  Object.assign(inForce, {
    log,
    public: open,
    repositories,
    limits: { ...inForce.limits, uploadsPerMinute, uploadsPerMinutePerAddress },
    sources,
    ...(configFile === undefined ? {} : { configFile }),
  })
}

/** In: settings and a path. Out: its value; undefined where unset. */
export function valueAt(settings: Settings, path: SettingPath): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], settings)
}
