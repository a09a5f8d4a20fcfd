import { type Messages, messageTree } from './message-tree'

export const messages = messageTree(
  import.meta.glob<Messages>(['../ui/locale.zh.json', './locale.zh.json', '../features/*/*/locale.zh.json'], { eager: true, import: 'default' }),
)
