import { lstatSync } from 'node:fs'
import { messageOf } from '../../../kit/errors.ts'

/** `trouble`: the folder is of no use. Else what only who looks closer wants to know. */
export type Say = (text: string, trouble: boolean) => void

export const draftPrefix = '.draft-'

/** Out: why the folder is not to be trusted; undefined where it is ours, or not there. */
export function faultOf(folder: string): string | undefined {
  try {
    const stats = lstatSync(folder, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    if (!stats.isDirectory()) return `${folder} is no folder`
    if (process.getuid !== undefined && stats.uid !== process.getuid()) return `${folder} belongs to the user with the id ${stats.uid}`
    return (stats.mode & 0o022) === 0 ? undefined : `others may write to ${folder}`
  } catch (error) {
    if (!isOfSystem(error)) throw error
    return messageOf(error)
  }
}

/** What the system refuses is told, and is a miss. */
export function attempt<T>(run: () => T, say: Say): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!isOfSystem(error)) throw error
    say(messageOf(error), false)
    return undefined
  }
}

export function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
