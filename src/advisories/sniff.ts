import { isObject } from './fields.ts'
import type { Layout } from './values.ts'

const headBytes = 64 * 1024

/** In: a document's bytes. Out: its first 64 KiB as text, and all its bytes again. */
export async function peek(bytes: AsyncIterable<Buffer>): Promise<{ head: string; bytes: AsyncIterable<Buffer> }> {
  const source = bytes[Symbol.asyncIterator]()
  const first: Buffer[] = []
  let size = 0
  while (size < headBytes) {
    const next = await source.next()
    if (next.done === true) break
    first.push(next.value)
    size += next.value.length
  }
  const head = Buffer.concat(first).subarray(0, headBytes).toString('utf8')
  return { head: head.startsWith('\ufeff') ? head.slice(1) : head, bytes: again(first, source) }
}

async function* again(first: Buffer[], source: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    for (const [index, chunk] of first.entries())
      yield index === 0 && chunk.subarray(0, 3).equals(byteOrderMark) ? chunk.subarray(3) : chunk
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value
  } finally {
    await source.return?.()
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * In: a document's name and beginning. Out: how its JSON values stand in it; `lines` only where the name or whole lines say
 * so, because there one broken value costs no other.
 */
export function layoutOf(name: string, head: string): Layout {
  if (/\.(jsonl|ndjson)(\.(zst|gz))?$/i.test(name)) return 'lines'
  const text = head.trimStart()
  if (text.startsWith('[')) return 'elements'
  if (/^\{\s*"[^"\\]{1,128}"\s*:\s*\{\s*"(?:CVE|TEMP)-[^"\\]{1,40}"\s*:\s*\{/.test(text)) return 'elements'
  return completeLines(head).some(isObjectLine) ? 'lines' : 'values'
}

/** Without the last one, which the head may cut. */
function completeLines(head: string): string[] {
  return head.split('\n').slice(0, -1)
}

function isObjectLine(line: string): boolean {
  if (!line.startsWith('{')) return false
  try {
    return isObject(JSON.parse(line))
  } catch {
    // Not one whole value on this line: then the layout isn't lines because of it.
    return false
  }
}

/** Bytes as lines of text without their end; a line longer than 1 MiB ends there. */
export async function* textLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let held = ''
  for await (const chunk of bytes) {
    const lines = (held + decoder.decode(chunk, { stream: true })).split('\n')
    held = lines.pop() ?? ''
    if (held.length > 1024 * 1024) {
      lines.push(held)
      held = ''
    }
    for (const line of lines) yield line.replace(/\r$/, '')
  }
  if (held !== '') yield held
}
