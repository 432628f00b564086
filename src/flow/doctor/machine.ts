import { readFileSync } from 'node:fs'
import { fine, note, warning, wrong, type Diagnosis } from './diagnosis.ts'

/** package.json, "engines". */
const leastNode = [24, 15] as const
/** 1,000 uploads under way, as many pulls, their connections, and the records. */
const enoughFiles = 8192
const fewFiles = 2048

export function lookAtNode(version: string = process.versions.node): Diagnosis {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < leastNode[0] || (major === leastNode[0] && minor < leastNode[1])
  if (!isOld) return fine('node', `Node ${version}`)
  return wrong('node', `Node ${version} is older than ${leastNode.join('.')}`, `install Node ${leastNode.join('.')} or newer`)
}

/** In: the process that serves, undefined for one like this. */
export function lookAtOpenFiles(
  pid: number | undefined,
  readLimits: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): Diagnosis {
  let text: string
  try {
    text = readLimits(`/proc/${pid ?? 'self'}/limits`)
  } catch (error) {
    // No procfs, another user's process, or one that has just ended.
    return note('open files', `the limit is not known (${(error as NodeJS.ErrnoException).code ?? String(error)})`)
  }
  const word = /^Max open files +(\d+|unlimited) /m.exec(text)?.[1]
  if (word === undefined) return note('open files', 'the limit is not known')
  const limit = word === 'unlimited' ? Infinity : Number(word)
  const remedy = `raise it to ${enoughFiles}: LimitNOFILE= in a systemd unit, --ulimit nofile= of a container, ulimit -n in a shell`
  if (limit < fewFiles) return wrong('open files', `at most ${word}: too few for many pushes at once`, remedy)
  if (limit < enoughFiles) return warning('open files', `at most ${word}`, remedy)
  return fine('open files', `at most ${word}`)
}
