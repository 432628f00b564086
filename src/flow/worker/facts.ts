import { Readable } from 'node:stream'
import { createZstdCompress, createZstdDecompress } from 'node:zlib'
import type { LayerFacts } from '../../model/layer.ts'
import { factsOfLines, linesOfFacts } from '../scan/known/facts.ts'

const chunkBytes = 256 * 1024
/** What `readLayer` may have kept of one layer; more was not made by us. */
const mostFactBytes = 2 * 1024 * 1024 * 1024

/** In: facts of a layer. Out: lines of JSON in zstd, as they are stored: never one text, which millions of files would not fit into. */
export async function packFacts(facts: LayerFacts): Promise<Buffer> {
  const packed = Readable.from(terminated(linesOfFacts(facts))).compose(createZstdCompress({ chunkSize: chunkBytes }))
  return Buffer.concat(await (packed as Readable).toArray())
}

function* terminated(lines: Iterable<string>): Generator<Buffer> {
  for (const line of lines) yield Buffer.from(`${line}\n`)
}

/** In: what `packFacts` gave. Out: the facts. Throws where these are none: then it was us who wrote them. */
export async function unpackFacts(stored: Uint8Array): Promise<LayerFacts> {
  return await factsOfLines(linesIn(stored))
}

async function* linesIn(stored: Uint8Array): AsyncGenerator<string> {
  const decoder = createZstdDecompress({ chunkSize: chunkBytes })
  decoder.end(stored)
  let rest: Buffer[] = []
  let bytes = 0
  for await (let chunk of decoder as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostFactBytes) throw new Error(`facts of a layer have more than ${mostFactBytes} bytes`)
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10)) {
      yield Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8')
      rest = []
      chunk = chunk.subarray(end + 1)
    }
    rest.push(chunk)
  }
  if (rest.some(({ length }) => length > 0)) throw new Error('facts of a layer end in the middle of a line')
}
