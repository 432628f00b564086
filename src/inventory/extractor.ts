import { createHash } from 'node:crypto'
import type { FoundManifest, FoundOwnership, OsRelease, Unsupported } from '../model/layer.ts'
import type { Package } from '../model/package.ts'
import type { Content } from './content/content.ts'
import type { FileHead, Probe } from './probe.ts'

/** A file of a layer that an extractor asked for. */
export interface WantedFile {
  /** Normalised, as in LayerFile. */
  path: string
  sizeBytes: number
  /** Its bytes; empty where the extractor's `maxBytes` is 0. Valid only during the call: keep no slice of it. */
  bytes: Buffer
  /** Where it is too large to be held: its bytes at any place, and then `bytes` is empty. Only for extractors that say `spools`. */
  spooled?: Content
}

/** What a file says. A problem is a line for people, without the path: it makes the image `unreadable`. */
export type Fact =
  | { package: Package }
  | { release: OsRelease }
  | { owns: Omit<FoundOwnership, 'location'> }
  | { manifest: Omit<FoundManifest, 'location'> }
  | { unsupported: Omit<Unsupported, 'path'> }
  | { problem: string }

/**
 * A plug-in is data plus one function. `wants` is asked for every path of a layer, so it must be quick and pure;
 * `extract` is called once per wanted file, and what it throws becomes a problem of that file.
 */
export interface Extractor {
  /** The name of its file. */
  name: string
  /** Raise it, and layers are inventoried again. */
  version: number
  /** The most that is read into memory; a larger file is a problem. 0: the path alone says it. */
  maxBytes: number
  /** It can read a large file from where that was laid down; `maxBytes` is then the most that is laid down. */
  spools?: true
  wants(path: string): boolean
  /**
   * Of files that only mean something together, as a database and its log: the path of the one that the facts are of, for
   * each of them. `extract` is then called once, at the layer's end, with that file and the others beside it; where the
   * layer has no such file, with each of the others alone. They are held until then: nothing but small groups.
   */
  groupOf?(path: string): string | undefined
  extract(file: WantedFile, beside?: readonly WantedFile[]): Iterable<Fact> | AsyncIterable<Fact>
  /**
   * For kinds that only bytes tell, of files of any size: asked for every file that is not empty, with its first bytes,
   * so it must be as quick as `wants`. Out: who sees the file go by, or undefined where it is of no such kind.
   */
  probe?(head: FileHead): Probe | undefined
}

/** Raise it when the walk itself reads layers otherwise. */
const walkVersion = 3

/** Part of the key under which a layer's facts are stored: changes with any extractor. */
export function revisionOf(extractors: readonly Extractor[]): string {
  const names = extractors.map(({ name, version }) => `${name}@${version}`).sort()
  return createHash('sha256')
    .update([`walk@${walkVersion}`, ...names].join('\n'))
    .digest('hex')
    .slice(0, 16)
}
