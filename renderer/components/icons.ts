/** The icons in use, by the name that components take. */
import type { Component } from 'svelte';
import ArrowDown from '@lucide/svelte/icons/arrow-down';
import ArrowUp from '@lucide/svelte/icons/arrow-up';
import Ban from '@lucide/svelte/icons/ban';
import Box from '@lucide/svelte/icons/box';
import Archive from '@lucide/svelte/icons/archive';
import ChartColumn from '@lucide/svelte/icons/chart-column';
import Check from '@lucide/svelte/icons/check';
import ChevronDown from '@lucide/svelte/icons/chevron-down';
import Clock from '@lucide/svelte/icons/clock';
import Copy from '@lucide/svelte/icons/copy';
import Cpu from '@lucide/svelte/icons/cpu';
import Download from '@lucide/svelte/icons/download';
import Ellipsis from '@lucide/svelte/icons/ellipsis';
import Equal from '@lucide/svelte/icons/equal';
import FileUp from '@lucide/svelte/icons/file-up';
import FolderOpen from '@lucide/svelte/icons/folder-open';
import House from '@lucide/svelte/icons/house';
import Info from '@lucide/svelte/icons/info';
import Flask from '@lucide/svelte/icons/flask-conical';
import Layers from '@lucide/svelte/icons/rows-3';
import Merge from '@lucide/svelte/icons/combine';
import LineChart from '@lucide/svelte/icons/chart-line';
import MessageSquare from '@lucide/svelte/icons/message-square';
import Pause from '@lucide/svelte/icons/pause';
import Pencil from '@lucide/svelte/icons/pencil';
import Play from '@lucide/svelte/icons/play';
import Plus from '@lucide/svelte/icons/plus';
import Question from '@lucide/svelte/icons/circle-question-mark';
import Refresh from '@lucide/svelte/icons/refresh-cw';
import Scale from '@lucide/svelte/icons/align-horizontal-distribute-center';
import Search from '@lucide/svelte/icons/search';
import Settings from '@lucide/svelte/icons/settings';
import Table from '@lucide/svelte/icons/table-2';
import Trash from '@lucide/svelte/icons/trash-2';
import Warning from '@lucide/svelte/icons/triangle-alert';
import X from '@lucide/svelte/icons/x';

export const icons = {
  archive: Archive,
  ban: Ban,
  box: Box,
  chart: ChartColumn,
  check: Check,
  'chevron-down': ChevronDown,
  clock: Clock,
  compose: Merge,
  copy: Copy,
  cpu: Cpu,
  down: ArrowDown,
  download: Download,
  equal: Equal,
  file: FileUp,
  folder: FolderOpen,
  help: Question,
  home: House,
  info: Info,
  layers: Layers,
  line: LineChart,
  message: MessageSquare,
  more: Ellipsis,
  pause: Pause,
  pencil: Pencil,
  play: Play,
  plus: Plus,
  question: Question,
  refresh: Refresh,
  scale: Scale,
  search: Search,
  settings: Settings,
  study: Flask,
  table: Table,
  trash: Trash,
  up: ArrowUp,
  warning: Warning,
  x: X,
} as const satisfies Record<string, Component<{ size?: number | string; strokeWidth?: number | string }>>;

export type IconName = keyof typeof icons;
