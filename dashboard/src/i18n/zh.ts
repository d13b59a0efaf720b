import type { AlertState, Emotion, Ending, Gap, Level, NoticeCode, Role, Severity, UserRole } from '../wire/types';

/** Widens the literal strings of the Chinese catalogue: the English one has the same keys and other words. */
type Words<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { [K in keyof T]: Words<T[K]> };

export type Messages = Words<typeof zh>;

export const zh = {
  app: '通话哨',
  tagline: '催收通话实时质检',
  skip: '跳到主要内容',
  nav: { wall: '实时监控', alerts: '告警', calls: '通话记录', users: '用户', keys: '网关密钥', account: '我的账号', main: '主导航' },
  prefs: { theme: '外观', system: '跟随系统', light: '浅色', dark: '深色', sound: '严重告警提示音', soundOn: '提示音已开', soundOff: '提示音已关' },
  common: {
    actions: '操作', save: '保存', cancel: '取消', retry: '重试', more: '加载更多', loading: '加载中…',
    copy: '复制', copied: '已复制', search: '搜索', logOut: '退出登录',
  },
  login: {
    title: '登录', user: '用户名', password: '密码', submit: '登录', busy: '正在登录…', show: '显示密码', hide: '隐藏密码',
    wrong: '用户名或密码不正确。', expired: '会话已过期，请重新登录。',
    unkept: '您已退出登录，但服务器磁盘写不进这条记录：若服务在此期间重启，旧会话可能恢复有效。请关闭浏览器，并告知系统管理员。',
    throttled: (seconds: number) => `尝试次数过多，请在 ${seconds} 秒后再试。`,
    offline: '连接不到服务，请检查网络后重试。', missing: '请填写用户名和密码。',
  },
  role: { agent: '坐席', customer: '客户' } satisfies Record<Role, string>,
  userRole: { supervisor: '班组长', compliance: '合规专员', integrator: '集成工程师', admin: '管理员' } satisfies Record<UserRole, string>,
  severity: { critical: '严重', high: '高', medium: '中', low: '低' } satisfies Record<Severity, string>,
  state: { open: '待处理', acknowledged: '已知悉', confirmed: '已确认', dismissed: '已排除' } satisfies Record<AlertState, string>,
  emotion: {
    anger: '愤怒', fear: '害怕', sadness: '难过', frustration: '烦躁', neutral: '平静', relief: '松口气', joy: '愉快',
  } satisfies Record<Emotion, string>,
  ending: {
    completed: '正常结束', dropped: '连接中断', rejected: '协议错误而拒绝', interrupted: '服务中断',
  } satisfies Record<Ending, string>,
  gap: {
    lost: '丢包，音频缺失', silence: '网关停发（静音）', disconnected: '连接断开，音频缺失', overload: '过载，音频未识别', unrecognised: '识别失败，没有文字',
    unrecorded: '磁盘写不进，这段没有录音',
  } satisfies Record<Gap['reason'], string>,
  notice: {
    storage_failing: '存储写入失败', storage_recovered: '存储已恢复', storage_replaced: '数据库已被替换，此前内容在旧库', recording_failing: '录音写入失败', recording_paused: '磁盘将满，录音暂停', recording_recovered: '录音已恢复',
    recognition_failing: '识别失败', recognition_recovered: '识别已恢复', detector_failed: '检测器出错', overloaded: '识别积压', protocol_error: '网关协议错误',
    gateway_irregular: '网关数据异常，通话继续', audio_missing: '一段时间没有收到声音',
    zone_unreadable: '时区无法识别', zone_unknown: '债务人时区未知',
    channels_equal: '两个声道内容相同，无法区分坐席与客户，暂停判定，请检查录音源声道', channels_recovered: '声道已分离，恢复判定',
  } satisfies Record<NoticeCode, string>,
  trouble: {
    storage_failing: '存储写入失败：通话继续，事件暂存，恢复后补写',
    recording_failing: '录音写入失败：请检查磁盘空间',
    disk_low: '磁盘空间不足：请尽快清理，否则将停止录音',
    recordings_paused: '磁盘将满，录音已暂停：监控和告警照常，余下空间留给文字和告警记录',
    recognition_failing: '语音识别失败',
    detector_failed: '有检测器出错，部分规则未生效',
    overloaded: '识别积压，结果会变慢',
    protocol_error: '有网关违反协议',
    model_missing: '语音模型缺失或损坏，未在识别',
  } as Record<string, string>,
  link: {
    connecting: '正在连接…', open: '实时', lost: '连接中断',
    retry: (seconds: number) => `${seconds} 秒后重连`, retryNow: '立即重连',
    stale: '正在补齐错过的消息…', frozen: '画面停在断线那一刻',
  },
  level: {
    full: '识别完整',
    no_partials: '负载高：暂停实时字幕',
    greedy: '负载高：改用快速识别',
    no_second_looks: '负载高：不再复核存疑文字',
    agents_first: '负载高：客户话语排在坐席之后',
  } satisfies Record<Level, string>,
  levelTitle: '通话不会丢失；负载下降后自动恢复',
  health: {
    label: '服务状态', model: '模型', backlog: '识别积压', capacity: '容量', seconds: (n: string) => `${n} 秒`,
  },
  wall: {
    auto: '自动', title: '实时监控', live: '通话中', flagged: '有告警', critical: '严重待处理', open: '待处理告警', gaps: '监听异常',
    held: '已暂停重排', heldWhy: '鼠标或焦点在监控墙上时，卡片不会移动',
    filter: '筛选坐席或客户', onlyFlagged: '只看有告警', noMatch: '没有符合筛选条件的通话。',
    emptyTitle: '现在没有通话',
    emptyText: '网关一接入，通话会立刻出现在这里。接入只需三步：',
    emptySteps: ['在“网关密钥”页为话务平台新建一把密钥。', '让话务平台通过 WebSocket 把双声道音频推到下面的地址，密钥放在请求头里。', '或者先用命令行放一段录音试试：'],
    density: '卡片大小', ended: '已结束', noAudio: (seconds: number) => `${seconds} 秒无音频`,
    silent: '尚未说话', gapsCount: (n: number) => `${n} 处缺失`, risk: '风险',
    cardLabel: (agent: string, customer: string, risk: number) => `坐席 ${agent}，客户 ${customer}，风险 ${risk}`,
    speaking: '正在说话', feed: '最新告警', feedEmpty: '没有待处理的告警。', allAlerts: '全部告警',
    noAlertsCall: '暂无告警',
  },
  call: {
    live: '通话中', follow: '跳到最新', newLines: (n: number) => `有 ${n} 条新内容`, transcript: '对话', alerts: '本通话告警',
    sentiment: '双方情绪', replay: '回放', replaySoFar: '回放已录部分', details: '通话信息',
    source: '来源', started: '开始', debtorsTime: '债务人当地时间',
    notFound: '找不到这通电话。', noAlerts: '还没有触犯规则的地方。', truncated: '识别把握低', ended: '通话已结束',
    media: '音频格式', waitingFirst: '正在听，识别出的文字会出现在这里。', noSpeech: '这通电话里没有识别出说话内容。',
  },
  alert: {
    title: '告警', filterState: '状态', filterSeverity: '级别', empty: '没有符合条件的告警。',
    acknowledge: '知悉', confirm: '确认违规', dismiss: '排除误报', note: '备注', notePlaceholder: '理由，写给复核的人看', decide: '提交',
    changeTo: (state: string) => `改判为${state}`, by: (who: string, when: string) => `${who} · ${when}`,
    jump: '到通话', replayAt: '回放此处', cites: '依据', needsEar: '需人工核听', needsEarWhy: '仅凭文字不能定论，请核对录音或通话信息',
    duty: '应做未做', latency: (s: string) => `${s} 秒后告警`, stale: '别人刚刚处理过这条告警，已刷新。', failed: '没有保存成功，请重试。',
    forbidden: '你的角色不能做这个操作。', newCritical: (title: string, agent: string) => `严重告警：${title}，坐席 ${agent}`,
    newer: (n: number) => `有 ${n} 条新告警`, keys: '快捷键：J / K 上下，A 知悉，C 确认违规，D 排除误报，Enter 到通话', score: '把握', rule: '规则', debtorsTime: '债务人当地时间',
  },
  finding: {
    title: '未触发告警的命中', none: '没有其他命中。',
    why: '同一规则或同一句话刚告警过，或本通话告警已达上限时，再次命中不重复告警，仍留作质检依据。',
    more: (n: number) => `还有 ${n} 条，继续显示`,
  },
  notices: { title: '监听提示', none: '监听期间没有异常。' },
  calls: {
    title: '通话记录', empty: '没有符合条件的通话。', state: '状态', anyState: '全部', live: '通话中', ended: '已结束', flagged: '仅有告警',
    agent: '坐席', text: '搜索对话、客户、编号', since: '起', until: '止', when: '开始时间', duration: '时长', risk: '风险', alerts: '告警',
    mood: '情绪（坐席 / 客户）', ending: '结束方式', customer: '客户', debtorsTime: '债务人当地',
  },
  replay: {
    title: '回放', play: '播放', pause: '暂停', speed: '倍速', back5: '后退 5 秒', forward5: '前进 5 秒', prevAlert: '上一条告警', nextAlert: '下一条告警',
    zoom: '缩放', waveform: '双声道波形', keys: '空格 播放/暂停，← → 跳 5 秒，Shift+← → 跳告警，[ ] 变速', follow: '文字跟随',
    noRecording: '这通电话没有录音。', stillLive: '通话还在进行，这里是已录下的部分。', update: '更新到现在', position: '播放位置',
    loadFailed: '录音读取失败。', toLive: '看实时',
  },
  chart: { positive: '正面', negative: '负面', neutral: '中性', label: (agent: string, customer: string) => `情绪：坐席 ${agent}，客户 ${customer}` },
  users: {
    title: '用户', name: '用户名', role: '角色', created: '创建时间', status: '状态', active: '启用', disabled: '停用', add: '新建用户',
    disable: '停用', enable: '启用', password: '初始密码', newPassword: '重设密码', reset: '重设密码', exists: '这个用户名已被占用。', you: '你',
    done: '已保存。', can: {
      supervisor: '看实时通话与录音，处理告警', compliance: '班组长的全部权限，并复核定案', integrator: '管理网关密钥', admin: '全部权限，含用户管理',
    } satisfies Record<UserRole, string>,
  },
  keys: {
    title: '网关密钥', connect: '接入方法', connectText: '话务平台用 WebSocket 推送双声道音频，密钥放在请求头里：', source: '网关名称', rights: '权限', stream: '推送通话', events: '取回事件', metrics: '读取监控指标', metricsOnly: '只读监控指标（供 Prometheus，不推送通话）', firstTrack: '第一声道是', maxCalls: '并发通话上限', noLimit: '不限', share: (percent: number) => `识别量 ≤ ${percent}%`, created: '创建时间',
    revoked: '已吊销', active: '有效', add: '新建密钥', revoke: '吊销', revokeAsk: (source: string) => `吊销“${source}”的密钥？它的新连接会立刻被拒绝。`,
    once: '请现在复制保存：这把密钥只显示这一次。', empty: '还没有网关密钥。', sourceHint: '例如：shanghai-pbx', timezone: '债务人时区', timezoneHint: '留空则按通话或辖区',
    noZone: (zone: string) => `“${zone}”不是能识别的时区，请填写如 Asia/Shanghai 的名称。`, id: '编号', status: '状态',
  },
  account: {
    title: '我的账号', change: '修改密码', old: '当前密码', fresh: '新密码', again: '再输一次新密码', mismatch: '两次输入的新密码不一致。',
    done: '密码已修改。', wrong: '当前密码不正确。', short: (n: number) => `新密码至少 ${n} 个字符。`,
  },
  error: { offline: '连接不到服务。', forbidden: '你的角色看不了这一页。', notFound: '没有这一页。', unavailable: '服务暂时存取不了数据，请稍后再试。' },
};
