// For tests only: a probe over bytes that come in pieces, as a layer brings them.
import { readFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { headBytes, headOf, maxReadings } from '../probe.ts'
import type { Probe } from '../probe.ts'

/** In: a fixture under zstd. Out: its bytes, as long as the program that it was made from. */
export function fixtureOf(url: URL): Buffer {
  return zstdDecompressSync(readFileSync(url))
}

/** In: an extractor, a path, a file's bytes, and how many come at a time. Out: its facts; none where it does not know the file. */
export function probed(extractor: Extractor, path: string, bytes: Buffer, pieceBytes = 256 * 1024): Fact[] {
  const facts: Fact[] = []
  let probe: Probe | undefined = extractor.probe?.(headOf(path, bytes.length, Buffer.from(bytes.subarray(0, headBytes))))
  for (let readings = 0; probe !== undefined && readings < maxReadings; readings++) {
    for (let at = 0; at < bytes.length; at += pieceBytes) probe.push(Buffer.from(bytes.subarray(at, at + pieceBytes)), at)
    const { facts: found, again } = probe.finish()
    facts.push(...found)
    probe = again
  }
  if (probe !== undefined) throw new Error('a probe wants to see a file more often than it may')
  return facts
}

export function packagesIn(facts: readonly Fact[]): Package[] {
  return facts.flatMap((fact) => ('package' in fact ? [fact.package] : []))
}

/** In: facts. Out: `name version` of each package. */
export function named(facts: readonly Fact[]): string[] {
  return packagesIn(facts).map(({ name, version }) => `${name} ${version}`)
}

/** A program for ELF's readers, with nothing in it but what a test puts behind its head. */
export function elfWith(...parts: (string | Buffer)[]): Buffer {
  const head = Buffer.alloc(headBytes)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head)
  return Buffer.concat([head, ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)), Buffer.alloc(16)])
}
