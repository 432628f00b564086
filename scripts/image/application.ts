// The part of the image that is ours: the npm packages of the lock file, this checkout's code, and the command.

import { chmodSync, copyFileSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { copyKept, moveKept, ran, writeEntry } from './tree.ts'

/** Where the image has it. */
const home = 'opt/lazaret'

/** The kernel hands this file to Node, so that `lazaret` needs no shell. */
const command = `#!/usr/bin/node
import('/${home}/src/cli/main.ts')
`

/** glibc asks these for names of users and machines. */
const names = {
  'etc/passwd': 'root:x:0:0:root:/:/usr/sbin/nologin\nlazaret:x:65532:65532:Lazaret:/var/lib/lazaret:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\nlazaret:x:65532:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}

/** For runtimes other than Node, for compilers, for those who work on the packages, and for people who read manuals. */
const leftOut = [
  /^node_modules\/\.(bin\/|package-lock\.json$)/,
  /^node_modules\/node-[^/]+\/(include|share)\//,
  /^node_modules\/(@[^/]+\/)?[^/]+\/(\.github|bench|benchmarks?|docs|examples?|integration|prebuilds|tests?)\//,
  /\.(d\.[cm]?ts|map|test\.[cm]?[jt]s)$/,
]

/**
 * In: the checkout, a folder to work in, and the layers of Node and of the other packages. npm checks each against the lock file,
 * and runs nothing that they bring.
 */
export function layPackages(root: string, work: string, node: string, packages: string): void {
  mkdirSync(work, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(root, name), join(work, name))
  ran('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: work })
  const own = readdirSync(join(work, 'node_modules')).filter((name) => name.startsWith('node-linux-'))
  if (own.length !== 1) throw new Error(`npm brought ${own.length} builds of Node for this machine, and the image takes one`)
  const isNode = (path: string): boolean => path.startsWith(`node_modules/${own[0]}/`)
  const isTaken = (path: string): boolean => path.startsWith('node_modules/') && !leftOut.some((pattern) => pattern.test(path))
  moveKept(work, join(node, home), (path) => isTaken(path) && isNode(path))
  moveKept(work, join(packages, home), (path) => isTaken(path) && !isNode(path))
  mkdirSync(join(node, 'usr', 'bin'), { recursive: true })
  symlinkSync(`../../${home}/node_modules/${own[0]}/bin/node`, join(node, 'usr', 'bin', 'node'))
}

/** In: the checkout and the layer. Tests stay behind. */
export function layLazaret(root: string, layer: string): void {
  const isTest = (path: string): boolean => path.endsWith('.test.ts') || /(^|\/)((suites|fixtures)\/|test-support\.ts$)/.test(path)
  copyKept(join(root, 'src'), join(layer, home, 'src'), (path) => !isTest(path))
  copyKept(join(root, 'data'), join(layer, home, 'data'), () => true)
  for (const name of ['package.json', 'LICENSE', 'NOTICE']) copyFileSync(join(root, name), join(layer, home, name))
  writeEntry(join(layer, 'usr', 'bin', 'lazaret'), command, 0o755)
  mkdirSync(join(layer, 'etc', 'lazaret'), { recursive: true })
  for (const [path, text] of Object.entries(names)) writeEntry(join(layer, path), text)
}

/**
 * In: where to lay out the folders of the image's user: the data, which nobody else may look into, and a place to mount where
 * backups go. A new volume takes their owner and mode.
 */
export function layOwned(root: string): void {
  for (const path of ['data/lazaret', 'place/backup']) {
    mkdirSync(join(root, path), { recursive: true })
    chmodSync(join(root, path), 0o700)
  }
}
