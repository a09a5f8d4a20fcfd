// Arguments typed on one line, split as a shell would: blanks separate, quotes keep together, a backslash escapes.

export interface Parsed {
  args: string[]
  /** A quote was opened and not closed. */
  unclosed: boolean
}

// One piece of a word: 'single', "double" (escapes inside), \x, or plain characters; else blanks; else a lone quote.
const PIECE = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)|(\s+)|(["'\\])/g

export function parseArguments(text: string): Parsed {
  const args: string[] = []
  let word: string | null = null
  let unclosed = false
  for (const match of text.matchAll(PIECE)) {
    if (match[5] !== undefined) {
      if (word !== null) args.push(word)
      word = null
      continue
    }
    if (match[6] === '"' || match[6] === "'") unclosed = true
    word = (word ?? '') + literal(match)
  }
  if (word !== null) args.push(word)
  return { args, unclosed }
}

function literal([, single, double, escaped, plain, , lone]: RegExpExecArray): string {
  return single ?? double?.replaceAll(/\\([\s\S])/g, '$1') ?? escaped ?? plain ?? lone ?? ''
}

export function formatArguments(args: readonly string[]): string {
  return args.map((one) => (/^[\w@%+=:,./-]+$/.test(one) ? one : `'${one.replaceAll("'", `'\\''`)}'`)).join(' ')
}
