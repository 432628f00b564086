/** Exit codes of every command (docs: "The command"). */
export const exit = { fine: 0, failed: 1, usage: 2, refused: 3 } as const
export type ExitCode = (typeof exit)[keyof typeof exit]

/** One command: data, and a function that ends with its exit code. Results go to `out`, everything else to `err`. */
export interface Command {
  /** After `lazaret COMMAND`: `IMAGE [--wait SECONDS]`. */
  usage: string
  summary: string
  /** Lines of help beyond usage and summary. */
  details?: string[]
  run(args: string[], io: Io): Promise<ExitCode>
}

export interface Io {
  out: (text: string) => void
  err: (text: string) => void
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  stdin: NodeJS.ReadableStream
  /** Width of the terminal in columns, undefined where `out` is none. */
  columns: number | undefined
  /** Width of the terminal that `err` is, for what is shown while a command runs; absent where it is none, and in a pipeline. */
  errColumns?: number | undefined
}
