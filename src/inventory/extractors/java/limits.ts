import { ZipError } from '../../zip/directory.ts'

const mib = 1024 * 1024

/**
 * What one file may cost, with all that is nested in it. The largest application servers have some thousand jars below
 * each other, three deep; a jar that unpacks to more than twenty times its size holds no classes.
 */
export const javaLimits = {
  /** Of the file itself, which is laid down. */
  fileBytes: 2 * 1024 * mib,
  /** app.ear!/shop.war!/WEB-INF/lib/x.jar is two deep. */
  depth: 8,
  archives: 20_000,
  entries: 2_000_000,
  directoryBytes: 64 * mib,
  /** A pom.properties has three lines. */
  propertiesBytes: mib / 4,
  /** A pom.xml, or a manifest: signed jars have a section for each class there. */
  descriptorBytes: 4 * mib,
  /** Bytes that are unfolded, hashed, or read as a directory. */
  unpackedFreeBytes: 256 * mib,
  unpackedRatio: 20,
}

/** Counts what reading one file has cost so far; each method throws LimitError where that is too much. */
export class Cost {
  readonly #mostBytes: number
  #bytes = 0
  #archives = 0
  #entries = 0
  #isSpent = false

  constructor(sizeBytes: number) {
    this.#mostBytes = javaLimits.unpackedFreeBytes + javaLimits.unpackedRatio * sizeBytes
  }

  /** Whether the file was given up. */
  get isSpent(): boolean {
    return this.#isSpent
  }

  spend(): void {
    this.#isSpent = true
  }

  archive(depth: number): void {
    if (depth > javaLimits.depth) throw new LimitError(`is an archive in ${depth} others, more than the ${javaLimits.depth} that are read`)
    if (++this.#archives > javaLimits.archives) throw new LimitError(`is one of more than ${javaLimits.archives} archives`)
  }

  entry(): void {
    if (++this.#entries > javaLimits.entries) throw new LimitError(`is read after more than ${javaLimits.entries} entries`)
  }

  unpacked(count: number): void {
    this.#bytes += count
    if (this.#bytes > this.#mostBytes)
      throw new LimitError(`makes more than ${this.#mostBytes} bytes of it to be read: a decompression bomb`)
  }
}

/** Past it the whole file is given up. */
export class LimitError extends ZipError {}
