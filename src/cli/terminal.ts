import type { ReadStream } from 'node:tty'
import { LazaretError } from '../kit/errors.ts'

const mostKeys = 4096
const keys = { stop: ['\u0003', '\u0004'], enter: ['\r', '\n'], back: ['\u007f', '\b'], clear: ['\u0015'] }

/**
 * Asks line by line, key by key. The terminal itself shows nothing from before the first question until after the last answer,
 * as people type ahead; where the answer may be seen, it is shown from here.
 * Out: the answers. Throws UNAVAILABLE on Ctrl-C, Ctrl-D, and where the terminal goes away.
 */
export async function askOnTerminal(
  terminal: ReadStream,
  questions: readonly string[],
  { write, shown }: { write: (text: string) => void; shown: boolean },
): Promise<string[]> {
  terminal.setRawMode(true)
  const typed = keysOf(terminal)
  try {
    const answers: string[] = []
    for (const question of questions) {
      write(question)
      answers.push(await readLine(typed.next, shown ? write : () => undefined))
      write('\n')
    }
    return answers
  } finally {
    typed.stop()
    terminal.setRawMode(false)
  }
}

async function readLine(next: () => Promise<string>, show: (text: string) => void): Promise<string> {
  const line: string[] = []
  for (;;) {
    const key = await next()
    if (keys.enter.includes(key)) return line.join('')
    if (keys.stop.includes(key)) throw new LazaretError('UNAVAILABLE', 'stopped')
    if (keys.back.includes(key)) erase(line, 1, show)
    else if (keys.clear.includes(key)) erase(line, line.length, show)
    else if (line.length < mostKeys && !/\p{Cc}/u.test(key)) {
      line.push(key)
      show(key)
    }
  }
}

function erase(line: string[], count: number, show: (text: string) => void): void {
  const gone = line.splice(Math.max(0, line.length - count))
  show('\b \b'.repeat(gone.length))
}

/** What is typed is kept until it is asked for. */
function keysOf(terminal: ReadStream): { next: () => Promise<string>; stop: () => void } {
  const waiting: string[] = []
  let wake: () => void = () => undefined
  let ended = false
  const onData = (text: string | Buffer) => {
    waiting.push(...text.toString())
    wake()
  }
  const onEnd = () => {
    ended = true
    wake()
  }
  terminal.setEncoding('utf8').on('data', onData).on('end', onEnd).on('error', onEnd).resume()
  return {
    async next() {
      while (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve))
      return waiting.shift() ?? '\u0004'
    },
    stop: () => void terminal.off('data', onData).off('end', onEnd).off('error', onEnd).pause(),
  }
}
