// Names that exist for one program alone: it sees another /etc/hosts, in a mount namespace of its own.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scratch } from './scratch.ts'
import { tool } from './tools.ts'

/** In: the suite's stack, and the names that are 127.0.0.1. Out: what turns a program's command line into one where they are. */
export async function openNames(
  stack: AsyncDisposableStack,
  ...names: string[]
): Promise<(command: string, args: readonly string[]) => [string, string[]]> {
  const hosts = join(await scratch(stack, 'names'), 'hosts')
  await writeFile(hosts, `127.0.0.1 localhost ${names.join(' ')}\n`)
  const inside = 'mount --bind "$0" /etc/hosts && exec "$@"'
  return (command, args) => [
    tool('unshare'),
    ['--mount', '--', 'sh', '-c', inside, hosts, command.includes('/') ? command : tool(command), ...args],
  ]
}
