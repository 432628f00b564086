/** What a layer may cost. Every one can be set; past one of them the layer is refused, never half believed. */
export interface LayerLimits {
  /** Bytes of the uncompressed tar, and of its files with the holes of sparse ones. */
  uncompressedBytes: number
  /** Up to this size any ratio is accepted. */
  ratioFreeBytes: number
  /** Uncompressed to stored bytes, past `ratioFreeBytes`. DEFLATE can't pass 1032, zstd can pass 30,000. */
  ratio: number
  entries: number
  /** PATH_MAX: a runtime can't create a longer one. Of the path and of a link's target. */
  pathBytes: number
  pathDepth: number
  /** Of all names and targets of links that are kept, in bytes. */
  nameBytes: number
  packages: number
  /** Paths that packages say they own. */
  ownedFiles: number
  /** Lines kept in `problems`; the rest is counted. */
  problems: number
}

const gib = 1024 ** 3

/**
 * Chosen from what real layers are: the largest machine-learning images have layers of 10 to 20 GiB, root file systems
 * compress by 2 to 5, logs by up to 50, and only runs of one byte pass 500.
 */
export const defaultLimits: LayerLimits = {
  uncompressedBytes: 64 * gib,
  ratioFreeBytes: gib,
  ratio: 500,
  entries: 5_000_000,
  pathBytes: 4096,
  pathDepth: 1024,
  nameBytes: gib / 2,
  packages: 1_000_000,
  ownedFiles: 5_000_000,
  problems: 1000,
}
