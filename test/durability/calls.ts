// The system calls of running processes, as strace writes them down.

import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { tool } from '../support/tools.ts'

export interface Call {
  name: string
  /** The arguments, with the path of each file descriptor: `23</data/blobs/ab/ab12…>`. */
  text: string
  /** Lines at which it began and ended: what ended before another began was before it. */
  begun: number
  ended: number
  failed: boolean
}

const traced = 'fsync,fdatasync,sync_file_range,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,rename,renameat,renameat2'

/** In: processes (their threads and children are followed), where to write, and what to do meanwhile. Out: the calls of all, in order. */
export async function callsOf(pids: readonly number[], file: string, work: () => Promise<void>): Promise<Call[]> {
  const args = ['-f', '-y', '-s', '48', '-e', `trace=${traced}`, '-o', file, ...pids.flatMap((pid) => ['-p', String(pid)])]
  const strace = spawn(tool('strace'), args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  strace.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
  try {
    for (let tries = 0; said.split(' attached').length <= pids.length; tries++) {
      if (tries > 200 || strace.exitCode !== null) throw new Error(`strace did not attach: ${said}`)
      await sleep(50)
    }
    await work()
  } finally {
    strace.kill('SIGINT')
    if (strace.exitCode === null) await once(strace, 'exit')
  }
  return parseCalls(await readFile(file, 'utf8'))
}

/** strace(1): a call that others interrupt is written in two lines, `… <unfinished ...>` and `<... NAME resumed>…`. */
export function parseCalls(text: string): Call[] {
  const calls: Call[] = []
  const open = new Map<string, Call>()
  for (const [at, line] of text.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const [, resumed] = /^<\.\.\. (\w+) resumed>/.exec(rest) ?? []
    if (resumed !== undefined) {
      const call = open.get(pid)
      open.delete(pid)
      if (call !== undefined) Object.assign(call, { ended: at, failed: / = -1 /.test(rest) })
      continue
    }
    const [, name] = /^(\w+)\(/.exec(rest) ?? []
    if (name === undefined) continue
    const unfinished = rest.endsWith('<unfinished ...>')
    const call = {
      name,
      text: rest,
      begun: at,
      ended: unfinished ? Number.POSITIVE_INFINITY : at,
      failed: !unfinished && / = -1 /.test(rest),
    }
    if (unfinished) open.set(pid, call)
    calls.push(call)
  }
  return calls
}
