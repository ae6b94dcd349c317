{{- define "offload.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end -}}
{{- end }}

{{/* Labels of everything. */}}
{{- define "offload.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Labels by which the pods of a component are found: (dict "root" $ "component" "web"). */}}
{{- define "offload.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* (dict "root" $ "image" "web") */}}
{{- define "offload.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ get $image .image }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* Of a pod: (dict "root" $ "component" "web") */}}
{{- define "offload.pod" -}}
automountServiceAccountToken: false
# Else a service of this name puts OFFLOAD_PORT=tcp://… into the environment.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
# A node that fails takes one of a component's pods, where there are nodes enough.
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "offload.selector" . | nindent 8 }}
{{- end }}

{{/* Of a container. */}}
{{- define "offload.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
envFrom:
  - secretRef: {name: {{ .Values.secret }}}
  {{- range .Values.moreSecrets }}
  - secretRef: {name: {{ . }}}
  {{- end }}
  - configMapRef: {name: {{ include "offload.name" . }}}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{/* Volumes: (dict "root" $ "tmp" "20Gi") */}}
{{- define "offload.volumes" -}}
- name: data
{{- if .root.Values.storageUrl }}
  emptyDir: {}
{{- else }}
  persistentVolumeClaim: {claimName: {{ .root.Values.volume.claim | default (include "offload.name" .root) }}}
{{- end }}
- name: tmp
  emptyDir: {{ if .tmp }}{sizeLimit: {{ .tmp }}}{{ else }}{}{{ end }}
{{- end }}
