import type { SettingPath, ValueAt } from './catalogue.ts'

/** A value as one source gave it, not yet read by its kind. */
export interface Given {
  path: SettingPath
  raw: unknown
  /** Folder that relative paths in it start from. */
  folder: string
  /** For people: `lazaret.yaml:3`, `LAZARET_LISTEN`, `--listen`. */
  from: string
  /** What an error calls it: `lazaret.yaml:3: gate.waitSeconds`, `LAZARET_LISTEN`. */
  name: string
}

/** The values that were read, by path. */
export type Getter = <P extends SettingPath>(path: P) => ValueAt<P> | undefined
