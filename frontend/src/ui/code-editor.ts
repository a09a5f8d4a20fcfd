// Sets up CodeMirror; loaded only by pages that edit scripts. It lives in a shadow root: there it uses constructed
// style sheets, which a strict content security policy allows, while <style> elements would need 'unsafe-inline'.
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { python } from '@codemirror/lang-python'
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, StreamLanguage, syntaxHighlighting } from '@codemirror/language'
import { go } from '@codemirror/legacy-modes/mode/go'
import { perl } from '@codemirror/legacy-modes/mode/perl'
import { powerShell } from '@codemirror/legacy-modes/mode/powershell'
import { shell } from '@codemirror/legacy-modes/mode/shell'
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'

export type CodeLanguage = 'shell' | 'python' | 'javascript' | 'perl' | 'powershell' | 'go'

const LANGUAGES: Record<CodeLanguage, () => Extension> = {
  shell: () => StreamLanguage.define(shell),
  python: () => [python(), indentUnit.of('    ')],
  javascript: () => javascript(),
  perl: () => StreamLanguage.define(perl),
  powershell: () => StreamLanguage.define(powerShell),
  go: () => [StreamLanguage.define(go), indentUnit.of('\t')],
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
  { tag: tags.comment, color: 'var(--code-comment)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: [tags.variableName, tags.propertyName, tags.standard(tags.name), tags.function(tags.variableName), tags.meta], color: 'var(--code-name)' },
])

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'transparent', fontSize: '12.5px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-code)', lineHeight: '1.5' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--text-faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--surface-sunken)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-placeholder': { color: 'var(--text-faint)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { background: 'var(--surface-selected)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--brand-soft)', outline: '1px solid var(--brand)' },
})

export interface EditorSetup {
  host: HTMLElement
  text: string
  language: CodeLanguage
  label: string
  hint: string
  /** Which keys leave it, for who cannot see the page. */
  keys: string
  onChange: (text: string) => void
  onSubmit: () => void
}

export interface EditorHandle {
  setText: (text: string) => void
  setLanguage: (language: CodeLanguage) => void
  setWords: (label: string, hint: string, keys: string) => void
  focus: () => void
  destroy: () => void
}

export function createEditor(setup: EditorSetup): EditorHandle {
  const language = new Compartment()
  const words = new Compartment()
  const wordsOf = (label: string, hint: string, keys: string): Extension => [EditorView.contentAttributes.of({ 'aria-label': label, 'aria-description': keys }), placeholder(hint)]
  const root = setup.host.shadowRoot ?? setup.host.attachShadow({ mode: 'open' })
  const submit = () => {
    setup.onSubmit()
    return true
  }
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: setup.text,
      extensions: [
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run: submit }])),
        lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), highlightSpecialChars(), history(), drawSelection(),
        indentOnInput(), bracketMatching(), syntaxHighlighting(colours), look,
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        language.of(LANGUAGES[setup.language]()),
        words.of(wordsOf(setup.label, setup.hint, setup.keys)),
        EditorView.updateListener.of((update) => update.docChanged && setup.onChange(update.state.doc.toString())),
      ],
    }),
  })
  return {
    setText(text) {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
    },
    setLanguage: (next) => view.dispatch({ effects: language.reconfigure(LANGUAGES[next]()) }),
    setWords: (label, hint, keys) => view.dispatch({ effects: words.reconfigure(wordsOf(label, hint, keys)) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  }
}
