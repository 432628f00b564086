import type { OsRelease, Unsupported } from './layer.ts'
import type { ImagePackage } from './package.ts'

/** What an image holds, after its layers were laid over each other. */
export interface ImageInventory {
  release?: OsRelease
  packages: ImagePackage[]
  unsupported: Unsupported[]
  /** Of every layer, with the layer's digest before each. */
  problems: string[]
  /** Everything but folders that a container would see, and the bytes of its regular files. */
  files: { count: number; sizeBytes: number }
}
