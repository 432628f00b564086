// What a document shows as typed, and what it shows as printed.

export interface Block {
  language: string
  lines: string[]
  /** Of the first line within, from 1. */
  line: number
}

/** A command as a document has it. */
export interface TypedLine {
  command: string
  line: number
  /** What the document shows as printed by it: the block of no language that follows its own. */
  printed?: string
}

/** In: Markdown. Out: its fenced blocks in order (CommonMark 4.5, fences of backticks alone). Throws where one is not closed. */
export function blocksIn(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: (Block & { fence: string }) | undefined
  for (const [at, text] of markdown.split('\n').entries()) {
    const [, fence = '', language = ''] = /^(`{3,})\s*([\w-]*)\s*$/.exec(text) ?? []
    if (open === undefined && fence !== '') open = { language, lines: [], line: at + 2, fence }
    else if (open !== undefined && language === '' && fence.length >= open.fence.length) {
      blocks.push({ language: open.language, lines: open.lines, line: open.line })
      open = undefined
    } else open?.lines.push(text)
  }
  if (open !== undefined) throw new Error(`the block at line ${open.line} is not closed`)
  return blocks
}

/** In: Markdown. Out: every line of its `sh` blocks, in order, without empty ones. */
export function typedLines(markdown: string): TypedLine[] {
  const blocks = blocksIn(markdown)
  return blocks.flatMap((block, at) => {
    const next = blocks[at + 1]
    const isPrinted = block.language === 'sh' && next?.language === '' && next.line === block.line + block.lines.length + 2
    const printed = isPrinted ? { printed: next.lines.join('\n') } : {}
    if (block.language !== 'sh') return []
    return block.lines.flatMap((command, offset) => (command.trim() === '' ? [] : [{ command, line: block.line + offset, ...printed }]))
  })
}

/** In: what a document shows as printed. Out: what must be found; `…` stands for anything in the line, a digest for any digest. */
export function printedPattern(text: string): RegExp {
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(escaped.replaceAll('…', '[^\\n]*').replaceAll(/sha256:[0-9a-f]{6,}/g, 'sha256:[0-9a-f]{6,}'))
}
