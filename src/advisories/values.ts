import { isUtf8 } from 'node:buffer'
import { LazaretError } from '../kit/errors.ts'
import type { Drop } from './form.ts'

/** How the JSON values of a document stand in it. */
export type Layout = 'lines' | 'values' | 'elements'

export interface ValueOptions {
  /** Bytes of one value; a larger one is dropped and skipped. */
  mostBytes: number
  drop: Drop
}

/**
 * In: the bytes of a document. Out: its JSON values one by one, in little memory whatever its size.
 * lines: one value a line · values: values after each other, on as many lines as they like ·
 * elements: what stands inside one outer list, or the members of one outer object, each as `{key: value}`.
 * What is no JSON is dropped with its place; throws UNREADABLE where the document ends inside a value or list.
 */
export async function* jsonValues(bytes: AsyncIterable<Buffer>, layout: Layout, options: ValueOptions): AsyncGenerator<unknown> {
  const pieces = layout === 'lines' ? lines(bytes, options) : new Splitter(layout, options).split(bytes)
  for await (const piece of pieces) {
    const parsed = parse(piece, options.drop)
    if (parsed !== undefined) yield parsed.value
  }
}

interface Piece {
  bytes: Buffer
  /** `line 12`, `value 3`. */
  where: string
  member: boolean
}

function parse(piece: Piece, drop: Drop): { value: unknown } | undefined {
  if (!isUtf8(piece.bytes)) return void drop('not UTF-8', piece.where)
  const text = piece.bytes.toString('utf8')
  try {
    return { value: JSON.parse(piece.member ? `{${text}}` : text) as unknown }
  } catch {
    return void drop('not JSON', piece.where)
  }
}

/** A bad line costs that line only. */
async function* lines(bytes: AsyncIterable<Buffer>, options: ValueOptions): AsyncGenerator<Piece> {
  let number = 1
  const held = new Held(options.mostBytes)
  const finish = (): Piece | undefined => held.take(`line ${number++}`, false, options.drop)
  for await (const chunk of bytes) {
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      held.add(chunk, from, end)
      from = end + 1
      const piece = finish()
      if (piece !== undefined) yield piece
    }
    held.add(chunk, from, chunk.length)
  }
  const last = finish()
  if (last !== undefined) yield last
}

/** Collects the bytes of one value over the chunks that it spans. */
class Held {
  private pieces: Buffer[] = []
  private size = 0
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  add(chunk: Buffer, from: number, to: number): void {
    if (to <= from) return
    this.size += to - from
    if (this.size > this.most) this.pieces = []
    else this.pieces.push(chunk.subarray(from, to))
  }

  take(where: string, member: boolean, drop: Drop): Piece | undefined {
    const { pieces, size } = this
    this.pieces = []
    this.size = 0
    if (size > this.most) return void drop(`larger than ${this.most} bytes`, where)
    const bytes = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
    return isBlank(bytes) ? undefined : { bytes, where, member }
  }
}

/** Finds where values begin and end by their brackets and strings; JSON.parse judges what is between. */
class Splitter {
  private readonly inside: boolean
  private readonly options: ValueOptions
  private readonly held: Held
  private depth = 0
  private string = false
  private escaped = false
  private outer = 0
  private number = 1

  constructor(layout: 'values' | 'elements', options: ValueOptions) {
    this.inside = layout === 'elements'
    this.options = options
    this.held = new Held(options.mostBytes)
  }

  async *split(bytes: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
    for await (const chunk of bytes) yield* this.splitChunk(chunk)
    const rest = this.take()
    if (this.depth > 0 || this.string) throw new LazaretError('UNREADABLE', `the document ends inside value ${this.number - 1}`)
    if (rest !== undefined) yield rest
  }

  private *splitChunk(chunk: Buffer): Generator<Piece> {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.string) this.inString(byte)
      else if (byte === quote) this.string = true
      else if (byte === openBrace || byte === openBracket) {
        if (this.inside && this.depth === 0) {
          this.outer = byte
          from = at + 1
        }
        this.depth++
      } else if (byte === closeBrace || byte === closeBracket) {
        this.depth--
        if (this.depth < 0) throw new LazaretError('UNREADABLE', `a bracket closes that none opened, at value ${this.number}`)
        if (this.depth === 0) {
          const piece = this.cut(chunk, from, this.inside ? at : at + 1)
          from = at + 1
          if (piece !== undefined) yield piece
        }
      } else if (byte === comma && this.inside && this.depth === 1) {
        const piece = this.cut(chunk, from, at)
        from = at + 1
        if (piece !== undefined) yield piece
      }
    }
    this.held.add(chunk, from, chunk.length)
  }

  private inString(byte: number): void {
    if (this.escaped) this.escaped = false
    else if (byte === backslash) this.escaped = true
    else if (byte === quote) this.string = false
  }

  private cut(chunk: Buffer, from: number, to: number): Piece | undefined {
    this.held.add(chunk, from, to)
    return this.take()
  }

  private take(): Piece | undefined {
    return this.held.take(`value ${this.number++}`, this.inside && this.outer === openBrace, this.options.drop)
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || (byte >= 9 && byte <= 13))
}

const newline = 10
const quote = 34
const comma = 44
const openBracket = 91
const backslash = 92
const closeBracket = 93
const openBrace = 123
const closeBrace = 125
