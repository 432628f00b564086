// Each extractor of the roster, over files of its own kind.
import type { Extractor, Fact, WantedFile } from '../../src/inventory/extractor.ts'
import { extractors } from '../../src/inventory/extractors.ts'
import { headBytes, headOf, maxReadings } from '../../src/inventory/probe.ts'
import { contentOf } from '../../src/inventory/content/content.ts'
import { samplesOf } from './samples.ts'
import { bear, checkFact } from './target.ts'
import type { Target } from './target.ts'

/** Out: a target an extractor and path. Throws where an extractor has no sample, or does not want the sample's path. */
export function extractorTargets(): Target[] {
  return extractors.flatMap((extractor) => {
    const samples = samplesOf(extractor.name)
    if (samples.length === 0) throw new Error(`${extractor.name} has no sample in scripts/fuzz/samples.ts`)
    return samples.map(({ path, bytes, beside }) => {
      if (extractor.probe === undefined && !extractor.wants(path)) throw new Error(`${extractor.name} does not want ${path}`)
      return { name: `${extractor.name}: ${path}`, samples: bytes, run: async (given) => await runOver(extractor, path, given, beside) }
    })
  })
}

async function runOver(extractor: Extractor, path: string, bytes: Buffer, beside: WantedFile[] | undefined): Promise<number> {
  let said = 0
  try {
    for await (const fact of factsOf(extractor, path, bytes, beside)) {
      checkFact(fact)
      said++
    }
  } catch (error) {
    bear(error)
  }
  return said
}

async function* factsOf(extractor: Extractor, path: string, bytes: Buffer, beside: WantedFile[] | undefined): AsyncGenerator<Fact> {
  const file = { path, sizeBytes: bytes.length, bytes }
  if (extractor.wants(path)) yield* extractor.extract(file, beside)
  if (extractor.wants(path) && extractor.spools === true)
    yield* extractor.extract({ ...file, bytes: nothing, spooled: contentOf(bytes) }, beside)
  yield* probed(extractor, path, bytes)
}

const nothing = Buffer.alloc(0)

/** As the walk shows a file: whole, in pieces, and again to who asks. */
function* probed(extractor: Extractor, path: string, bytes: Buffer): Generator<Fact> {
  if (bytes.length === 0) return
  let probe = extractor.probe?.(headOf(path, bytes.length, bytes.subarray(0, headBytes)))
  for (let readings = 0; probe !== undefined && readings < maxReadings; readings++) {
    for (let at = 0; at < bytes.length; at += 10_000) probe.push(bytes.subarray(at, at + 10_000), at)
    const { facts, again } = probe.finish()
    yield* facts
    probe = again
  }
}
